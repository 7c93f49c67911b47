"""The bridge between Visma Severa and Fortnox."""
