"""Every fault of the venue's catalogue strikes the whole system, which does what it should."""

import pytest

from ops.simulation.run import report
from services.simulator.catalogue.entry import Entry
from tests.simulation.entries import PROVEN, SEEDS, outcome, run_of, told

GOES_ON = ("venue state.quoted",)
RESUBSCRIBED = ("feed_market log.market.resubscribed",)
REJECTED = "execution log.order.rejected"
UNKNOWN = "execution log.order.unknown"

SIGNS: dict[str, tuple[str, ...]] = {
    "no-first-book": ("venue state.flat", *RESUBSCRIBED, *GOES_ON),
    "silent-asset": RESUBSCRIBED,
    "zombie-socket": ("venue state.flat", *RESUBSCRIBED),
    "hash-without-last-price": RESUBSCRIBED,
    "levels-lie": RESUBSCRIBED,
    "frames-lost": RESUBSCRIBED,
    "ghost-fills": ("execution state.fill_failed",),
    "success-without-id": (UNKNOWN,),
    "ended-orders-hidden": (UNKNOWN,),
    "bare-lists": ("feed_user log.feed.frame_rejected",),
    "execution-failed": (UNKNOWN,),
    "service-not-ready": ("execution alert.venue_restarting",),
    "slow-posts": (UNKNOWN,),
    "edge-403": (REJECTED, "execution alert.venue_restricted"),
    "prices-silent": ("venue state.flat",),
    "rate-limited": (REJECTED,),
    "restart": ("feed_user log.connection.lost", "feed_price log.connection.lost"),
    "cancel-only": (REJECTED, "execution alert.venue_cancel_only"),
    "trading-disabled": (REJECTED, "execution alert.venue_disabled"),
    "answers-truncated": (UNKNOWN,),
    "replies-lost": (UNKNOWN,),
    "own-orders-silent": ("feed_user log.user.orders_differ", "risk state.PAUSED"),
}
"""What people are told of, beside that nothing happens that must never happen; entries that are not
here are taken without a word, and trading goes on."""


def name_of(entry: Entry) -> str:
    return entry.name


@pytest.mark.req("TST-9", "TST-1")
@pytest.mark.parametrize("entry", PROVEN, ids=name_of)
def test_reaction(entry: Entry) -> None:
    signs = SIGNS.get(entry.name, GOES_ON)
    missing: list[str] = []
    for seed in SEEDS:
        found = outcome(run_of(entry), seed)
        assert found.violations == (), report(found)
        assert found.ended == {}
        lines = told(entry, seed)
        missing = [sign for sign in signs if not any(line.startswith(sign) for line in lines)]
        if found.struck.get(entry.name, 0) and not missing:
            return
    pytest.fail(f"no seed of {SEEDS} shows all of {signs}; missing last {missing}")


def test_every_sign_is_of_an_entry() -> None:
    assert set(SIGNS) <= {entry.name for entry in PROVEN}
