"""Faults that are switched on: what they do to requests, answers and frames."""
