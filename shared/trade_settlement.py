"""The settlement of a trade: one transition table from the match to its end on the chain.

A match is a promise: the chain settles it seconds later, sometimes after retries, sometimes
never. CONFIRMED and FAILED are ends. Reports come late, twice and in any order, so the
table only ever moves towards an end, and whatever order they come in the same state is
reached. The venue may still say both ends of one trade; such a contradiction is decided by
evidence, never by which report was first (`after_report`).

Source: https://docs.polymarket.com/trading/realtime-order-updates (2026-09-28); trades that
were matched and then failed: https://github.com/Polymarket/py-clob-client/issues/338.
"""

from typing import Final, Literal

SettlementState = Literal["MATCHED", "RETRYING", "MINED", "CONFIRMED", "FAILED"]
"""States and the venue's reports have the same names: a report says the state it saw."""

FINAL: Final[frozenset[str]] = frozenset({"CONFIRMED", "FAILED"})

TRANSITIONS: Final[dict[str, dict[str, str]]] = {
    "MATCHED": {
        "RETRYING": "RETRYING",
        "MINED": "MINED",
        "CONFIRMED": "CONFIRMED",
        "FAILED": "FAILED",
    },
    "RETRYING": {"MINED": "MINED", "CONFIRMED": "CONFIRMED", "FAILED": "FAILED"},
    # A retry told after the mining is an old report, or a block that was undone; nothing is
    # allowed on MINED that MATCHED does not allow, so the order of reports need not be known.
    "MINED": {"CONFIRMED": "CONFIRMED", "FAILED": "FAILED"},
    "CONFIRMED": {},
    "FAILED": {},
}
"""What each report makes of each state; a report that is not listed is no news."""


def is_contradiction(state: str, report: str) -> bool:
    """Tell whether a report names the other end of a trade that has ended already."""
    return state in FINAL and report in FINAL and state != report


def after_report(state: str, report: str, *, asked: bool) -> str:
    """Return the state after a report; the same state when it is no news.

    Args:
        state: Of the trade now.
        report: The state that the venue names.
        asked: Whether it answers a question of ours. An answer is the venue's record at that
            moment, and overrules the other end told before; what the stream pushes may be
            late, and overrules no end.
    """
    if asked and is_contradiction(state, report):
        return report
    return TRANSITIONS[state].get(report, state)
