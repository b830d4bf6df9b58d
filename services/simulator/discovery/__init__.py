"""Which markets there are: the venue's Gamma service."""
