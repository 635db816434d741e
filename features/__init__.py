"""Canonical events and the features computed from them; the lowest floor, it imports nothing else of ours."""
