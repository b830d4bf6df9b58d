"""Strategies: each a process that wishes, and nothing else.

Reads: `feed.calendar`, `state.market`, `state.view`, `execution.positions`,
`execution.status`; the caretaker `strategy.status` too.
Publishes: `strategy.targets` (the full wish for a market, renewed while it holds) and
`strategy.status`.
When it dies: its targets are not renewed, and execution cancels its orders within their time
to live; other strategies go on. When risk's pings stop it withdraws its targets itself.
"""
