"""Reference prices: a random walk, or a recorded day at any speed."""
