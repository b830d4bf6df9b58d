"""Getting orders out of the market: in which form, how often, and what follows when it fails."""
