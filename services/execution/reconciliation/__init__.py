"""Ours against the venue's and the chain's: what is asked, compared, adopted, and made of it."""
