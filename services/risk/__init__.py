"""Risk: the authority without which nothing trades.

Owns the epoch, the lease, fences and their proof, latches, the audit trail, its own
cancel path and the venue's dead-man switch. It places no order and knows no price: it renews or
withholds a short lease, and when any proof of health is missing it fences execution, cancels
by itself, and has the venue say twice that nothing is open.

Reads: feed.status, feed.calendar, state.view, execution.status, execution.positions,
execution.fill, strategy.status, recorder.status; pongs of every component on the control
line; requests on the operator's socket; exits from the kernel; the PANIC file.

Publishes: risk.status each 100 ms, risk.transition, risk.alert; pings each 100 ms.

When it dies or hangs: execution's lease ends within `timing.lease_ms` and execution fences
itself; supervisord (or watch, for a hang) starts risk again, and the new risk fences, proves
zero and validates recovery before it grants anything.
"""
