"""State: the hot view of every market, folded from the feeds and proven by the venue's hash.

Reads: market events, reference prices, the calendar, and the market feed's status. Publishes:
`state.market` at each proof, `state.view` every 100 ms, `state.doubted` when a book cannot be
proven. When it dies or hangs, its view grows old; execution cancels and places nothing until it
is there again and has proven every book anew. What it had folded is remembered on the disk
(`memory.py`), and believed once live hashes and prices agree.
"""
