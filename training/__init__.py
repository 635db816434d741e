"""Simulated campaigns, labels, fitting and evaluation; builds exactly the model that `serving` runs."""
