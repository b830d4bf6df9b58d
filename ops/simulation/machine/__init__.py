"""Execution's real core against the venue's real matching core, one action after another.

Where the whole-system simulation lets faults come by their rates, here each of them is an action
that may be taken at any moment and in any order: an answer lost, an event doubled, a commit cut,
a process killed. After every action all that must never happen is looked for, and after a calm
both sides must agree to the base unit. A walk is a list of actions, so it replays and shrinks.
"""
