"""Books in a real group: what goes wrong with one market's stream concerns that market alone.

Two assets, each market on a connection of its own. Orders are judged by the venue's log.
"""

from collections.abc import Callable, Iterator

import pytest

from bus import clock
from ops.waiting import wait_for
from shared.facts import FeedStatus
from shared.switches import MARKET_FEED_STALE
from shared.topics import FEED_MARKET
from tests.processes.group import FREE_LOSSES, GroupUnderTest
from tests.processes.wire_log import WireRecord

WAIT_S = 90.0
"""Guards against waiting for ever; nothing is judged by it."""

CHANGES = {
    **FREE_LOSSES,
    'assets = ["btc"]': 'assets = ["btc", "eth"]',
    "[venue]\n": "[venue]\nmarket_socket_tokens = 2\n",
}
STILL = """
[strategy.market_making]
requote_e4 = 2000
"""
"""Quotes that rest stay: what is cancelled is cancelled for a fault."""


@pytest.fixture(scope="module")
def shared_group() -> Iterator[GroupUnderTest]:
    """A group with two markets, for all tests of this module."""
    group = GroupUnderTest(extra=STILL, changes=CHANGES)
    try:
        ran = group.up()
        assert ran.status == 0, repr(ran)
        yield group
    finally:
        group.close()


def waits_for(group: GroupUnderTest, what: Callable[[], bool], why: str) -> None:
    assert wait_for(lambda: what() or None, WAIT_S), f"{why}\n{group.log_tails()}"


def status(group: GroupUnderTest) -> FeedStatus:
    found = wait_for(lambda: group.view().feeds().get(FEED_MARKET), WAIT_S)
    assert found is not None
    return found


def resting(group: GroupUnderTest) -> dict[str, list[WireRecord]]:
    """Return our open orders by market."""
    found: dict[str, list[WireRecord]] = {}
    for row in group.venue.open_orders().open.values():
        found.setdefault(row["market"], []).append(row)
    return found


def ids(rows: list[WireRecord]) -> set[str]:
    return {row["order_id"] for row in rows}


def stale_markets(group: GroupUnderTest) -> set[str]:
    """Return the markets that the switch of KS-4 holds."""
    risk = group.view().risk()
    switches = () if risk is None else risk.switches
    return {one.scope_id for one in switches if one.name == MARKET_FEED_STALE.name}


@pytest.fixture
def two_markets(trading: GroupUnderTest) -> tuple[GroupUnderTest, str, str]:
    """The group with orders resting in two markets that nothing holds."""
    waits_for(
        trading,
        lambda: len(resting(trading)) >= 2 and not stale_markets(trading),
        "orders in two markets",
    )
    spoilt, other = sorted(resting(trading))[:2]
    return trading, spoilt, other


def tokens_of(group: GroupUnderTest, market: str) -> set[str]:
    """Return a market's tokens, of which each has one connection for both."""
    placed = group.venue.open_orders().placed
    known = next(row["token"] for row in placed if row["market"] == market)
    shard_of = {entry.key: entry.shard for entry in status(group).evidence}
    return {token for token, shard in shard_of.items() if shard == shard_of[known]}


def stall(group: GroupUnderTest, market: str) -> None:
    """Silence a market's stream, and every second opinion about it."""
    group.venue.fault(kind="lose_frames", stream="market", asset=market)
    for token in tokens_of(group, market):
        group.venue.fault(kind="refuse", path="/book", query=f"token_id={token}")


@pytest.mark.req("NET-1")
def test_each_market_has_a_connection_of_its_own(
    two_markets: tuple[GroupUnderTest, str, str],
) -> None:
    group, _, _ = two_markets
    told = status(group)
    assert len(told.shards) >= 2
    assert all(shard.keys <= 2 for shard in told.shards)
    assert {entry.shard for entry in told.evidence} == {shard.number for shard in told.shards}


@pytest.mark.req("KS-4")
@pytest.mark.req("DQ-1")
def test_stalled_market_alone_is_paused_and_its_orders_go(
    two_markets: tuple[GroupUnderTest, str, str],
) -> None:
    group, spoilt, other = two_markets
    with group.venue.stillness():
        kept = ids(resting(group).get(other, []))
        stall(group, spoilt)
        waits_for(group, lambda: spoilt not in resting(group), "the stalled market's orders go")
        waits_for(group, lambda: stale_markets(group) == {spoilt}, "that market alone is held")
        assert kept & ids(resting(group).get(other, [])), "the other market's orders stand"
        group.venue.clear_faults()
        since_ns = clock.read().monotonic_ns
        waits_for(group, lambda: not stale_markets(group), "a new first book proves it again")
    waits_for(group, lambda: spoilt in resting(group), "it is quoted again")
    assert group.venue.open_orders().placed_after(since_ns)


@pytest.mark.req("NET-1")
@pytest.mark.req("NET-3")
def test_lost_connection_concerns_its_market_alone(
    two_markets: tuple[GroupUnderTest, str, str],
) -> None:
    group, spoilt, other = two_markets
    before = {shard.number: shard.session for shard in status(group).shards}
    (token, *_) = tokens_of(group, spoilt)
    with group.venue.stillness():
        kept = ids(resting(group).get(other, []))
        group.venue.ask("POST", "/admin/drop", {"stream": "market", "asset": token})

        def renewed() -> list[int]:
            shards = status(group).shards
            return [one.number for one in shards if one.session != before.get(one.number)]

        waits_for(group, lambda: len(renewed()) == 1, "one connection is another")
        assert kept & ids(resting(group).get(other, []))
        assert other not in stale_markets(group)
    waits_for(
        group, lambda: not stale_markets(group) and spoilt in resting(group), "it trades again"
    )


@pytest.mark.req("DQ-3")
@pytest.mark.req("DQ-5")
@pytest.mark.parametrize(
    ("kind", "part"),
    [("corrupt_hash", 1.0), ("cross_book", 0.1), ("empty_side", 0.1), ("garble_frames", 0.1)],
)
def test_wrong_books_of_one_market_are_told_anew_and_disturb_no_other(
    two_markets: tuple[GroupUnderTest, str, str], kind: str, part: float
) -> None:
    """One frame in ten is spoilt; the other market is never held meanwhile.

    Of hashes all are: one wrong hash over right levels is mended by the next frame's.
    """
    group, spoilt, other = two_markets
    log = group.run / "log" / "feed_market.log"
    was = log.read_text(errors="replace").count('"market.resubscribed"')
    group.venue.fault(kind=kind, stream="market", asset=spoilt, probability=part)

    def is_told_anew() -> bool:
        assert other not in stale_markets(group)
        return log.read_text(errors="replace").count('"market.resubscribed"') > was

    waits_for(group, is_told_anew, "the spoilt book is subscribed anew")
    group.venue.clear_faults()
    waits_for(
        group, lambda: not stale_markets(group) and spoilt in resting(group), "it trades again"
    )
