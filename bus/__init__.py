"""The wire and the one loop: ZeroMQ, clock, locks, settings, HTTP and WebSocket edges.

A service's shell is `started = start(COMPONENT)`, a core, and `run(started, core, edges)`.
Everything impure that a service needs is here or in an edge of its own; the services
themselves stay pure. Stands on `shared`, knows no service.
"""
