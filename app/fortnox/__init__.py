"""The window to Fortnox: the only place that knows its words."""
