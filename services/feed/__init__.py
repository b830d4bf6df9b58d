"""Feed: what the venue tells, in our words, with the evidence that it is current.

One process a source: `python -m services.feed market|user|price|discovery|perp`. Reads the
calendar, state's doubts about books and risk's about prices. Publishes `feed.market`, `feed.user`,
`feed.price`, `feed.calendar`, `feed.place`, `feed.perp`, and `feed.status` every 100 ms. When one
dies or falls silent, its evidence grows old: execution stops what rests on it (books of its
markets, all orders without the user feed, the asset's markets without its settlement price, new
orders without a calendar). On perpetual futures no order rests: without them the level falls.
"""
