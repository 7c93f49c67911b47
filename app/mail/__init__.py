"""Error mails: what they say (`letter`), and how they leave (`post`)."""
