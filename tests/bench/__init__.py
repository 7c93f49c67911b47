"""Figures that are published, each a ratio of two things measured in one run, turn about."""
