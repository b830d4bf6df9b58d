"""Dashboard: one live page for people, health for probes, metrics for Prometheus. Reads only.

Reads: risk.status, risk.transition, risk.alert, execution.status, execution.order,
execution.positions, state.view, feed.status, feed.calendar, strategy.status, recorder.status;
the ledger, in short transactions of a thread of its own.

Publishes: risk.alert, when a health check has failed several times in a row.

When it dies: the page says so by itself, within two seconds, and shows nothing old as current;
trading goes on, supervisord starts it again.
"""
