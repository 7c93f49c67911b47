"""The window to Visma Severa: the only place that knows its words."""
