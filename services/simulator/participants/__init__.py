"""Other traders: makers with their latencies, takers who know nothing or know better."""
