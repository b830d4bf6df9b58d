"""Known faults of the venue as data: how each is switched on, what we do, and its proof."""
