"""What is looked at as a whole: before activation, over a period, and behind every door."""
