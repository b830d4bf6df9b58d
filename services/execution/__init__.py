"""Execution: the only process that places and cancels, and the last gate before the venue.

Reads: `strategy.targets` (wishes), `feed.calendar`, `feed.status`, `feed.user`,
`feed.market` (tick changes and resolutions), `state.view`, and the control line from risk.
Publishes: `execution.order`, `execution.fill`, `execution.positions`, `execution.status`,
`execution.explain`, `risk.alert`.
Owns: the ledger (one source of truth for orders, fills, positions) and the signing key.

It places only while it holds a live lease from risk of the newest epoch, and cancels
whenever anything that an order rests on can no longer be vouched for. When it dies, risk
fences it: its orders are cancelled over risk's own path, and every one of them expires at
the venue by itself within about two minutes.
"""
