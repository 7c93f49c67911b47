"""How many companies one installation serves, and what they cost each other: scripts, no tests."""
