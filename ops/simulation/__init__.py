"""The whole system in one process, one thread, under virtual time and a seeded scheduler.

Every component's real core and the venue's real core run here; the shells around them
(bus, control line, HTTP lanes, streams, disk, supervisor) are simulated, so that messages
are lost and delayed, processes are stopped and killed at any effect, and requests land
late, each run exactly repeatable from its seed. The checkers watch from outside.

It opens no socket and reads no clock; storage is SQLite in memory. Start at `whole.py`.
The idea follows TigerBeetle's simulator
(https://github.com/tigerbeetle/tigerbeetle/blob/main/docs/internals/vopr.md).
"""
