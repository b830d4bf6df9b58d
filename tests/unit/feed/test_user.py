"""The user feed: everything told, the time without connection read by request, evidence."""

from typing import Any

import pytest

from services.feed.messages import CredentialsFound
from services.feed.own_orders import GRACE_NS
from services.feed.user import (
    GAP_MARGIN_S,
    LISTS_MAX,
    PAGES_MAX,
    WITNESS_EVERY_NS,
)
from shared.effects import (
    Effect,
    HttpFailed,
    HttpRequest,
    Log,
    StreamClose,
    StreamClosed,
    StreamOpen,
    StreamOpened,
)
from shared.facts import OwnOrder, OwnTrade
from shared.units import NS_PER_MS
from tests.builders.feeds import WALL_START_MS, at, facts, of_type, sent
from tests.builders.user_feed import (
    CREDENTIALS,
    FIRST,
    SECOND,
    SECRET,
    Rig,
    order_frame,
    order_row,
    page,
    ready,
    trade_row,
    witness,
)


def test_feed_waits_inside_for_credentials() -> None:
    rig = Rig()
    assert of_type(rig.feed.on_tick(at(0)), StreamOpen) == []
    assert rig.feed.health() == ("starting", "no credentials yet")
    assert not rig.status(at(0)).connected


def test_feed_subscribes_to_everything_of_its_key() -> None:
    (subscription, *_) = sent(Rig().open(at(0)))
    assert subscription["type"] == "user"
    assert subscription["auth"]["apiKey"] == "the-key"
    assert "markets" not in subscription


@pytest.mark.req("NET-2", "KS-2")
def test_refused_credentials_are_not_tried_in_a_loop_but_other_ones_are_at_once() -> None:
    rig = Rig()
    rig.open(at(0))
    rig.feed.on_message(StreamClosed(rig.stream, 1008, "auth"), at(1))
    status = rig.status(at(1))
    assert (status.connected, status.state) == (False, "barred")
    assert not of_type(rig.feed.on_tick(at(120_000)), StreamOpen)
    assert of_type(rig.feed.on_message(CredentialsFound(CREDENTIALS), at(120_001)), StreamOpen)


@pytest.mark.req("NET-7")
def test_secrets_are_in_no_fact_and_no_log() -> None:
    rig = Rig()
    effects = [*rig.open(at(0)), *rig.feed.on_tick(at(1))]
    effects += rig.hear("nonsense", at(1))
    effects += rig.feed.on_message(StreamClosed(rig.stream, 1006, "gone"), at(2))
    told = [effect for effect in effects if type(effect).__name__ in ("Log", "Publish")]
    assert told
    assert SECRET not in repr(told)
    assert "the-passphrase" not in repr(told)
    assert SECRET not in repr(CredentialsFound(CREDENTIALS))


@pytest.mark.req("NET-3")
def test_orders_and_trades_of_the_time_before_are_read_after_each_connection() -> None:
    rig = Rig()
    for session in range(2):
        now = at(session * 5_000)
        rig.open(now)
        rig.hear("PONG", now)
        reads = rig.reads(now)
        assert all(request.authenticated for request in reads.values())
        (order,) = facts(rig.answer(reads["/data/orders"], page(order_row()), now), "feed.user")
        row = trade_row(f"t{session}")
        (trade,) = facts(rig.answer(reads["/data/trades"], page(row), now), "feed.user")
        assert isinstance(order, OwnOrder)
        assert isinstance(trade, OwnTrade)
        assert (order.source, trade.source, trade.status) == ("rest", "rest", "MINED")
        rig.feed.on_message(StreamClosed(rig.stream, 1006, "gone"), now)


def test_trades_are_read_from_long_before_the_stream_was_last_good() -> None:
    rig = Rig()
    rig.open(at(0))
    rig.hear("PONG", at(0))
    path = rig.reads(at(0))["/data/trades"].path
    assert f"after={WALL_START_MS // 1_000 - GAP_MARGIN_S}&" in path


def test_trades_after_a_long_gap_are_read_from_its_beginning() -> None:
    rig = ready()
    rig.hear(order_frame(), at(1_000))
    rig.feed.on_message(StreamClosed(rig.stream, 1006, "gone"), at(2_000))
    late = at(3_600_000)
    (opening,) = of_type(rig.feed.on_tick(late), StreamOpen)
    rig.stream = opening.stream
    rig.feed.on_message(StreamOpened(rig.stream), late)
    rig.hear("PONG", late)
    path = rig.reads(late)["/data/trades"].path
    assert f"after={WALL_START_MS // 1_000 + 1 - GAP_MARGIN_S}&" in path


@pytest.mark.req("KS-2")
def test_there_is_no_evidence_before_the_gap_has_been_read() -> None:
    rig = Rig()
    rig.open(at(0))
    rig.hear("PONG", at(0))
    reads = rig.reads(at(0))
    rig.hear(order_frame(), at(5))
    assert rig.evident_ms(at(5)) is None
    rig.answer(reads["/data/orders"], page(order_row()), at(10))
    rig.hear(order_frame(), at(15))
    assert rig.evident_ms(at(15)) is None
    rig.answer(reads["/data/trades"], page(), at(20))
    rig.hear(order_frame(), at(25))
    assert rig.evident_ms(at(25)) == 25


def test_event_is_published_and_is_evidence() -> None:
    rig = ready()
    (order,) = facts(rig.hear(order_frame(), at(500)), "feed.user")
    assert (order.order_id, order.status, order.source) == (FIRST, "LIVE", "socket")
    assert rig.evident_ms(at(500)) == 500


def test_pong_is_no_evidence() -> None:
    rig = ready()
    rig.hear("PONG", at(500))
    assert rig.evident_ms(at(500)) is None


@pytest.mark.req("KS-2")
def test_witness_that_agrees_is_evidence_of_when_it_was_asked() -> None:
    rig = ready(order_row())
    request = rig.reads(at(1_000))["/data/orders"]
    rig.answer(request, page(order_row()), at(1_400))
    assert rig.evident_ms(at(1_400)) == 1_000


def test_witness_of_no_orders_agrees_with_none() -> None:
    rig = ready()
    witness(rig, 1_000)
    assert rig.evident_ms(at(1_000)) == 1_000


@pytest.mark.req("KS-2")
@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([], id="an order is missing at the venue"),
        pytest.param([order_row(), order_row(SECOND)], id="an order was never told"),
        pytest.param([order_row(size_matched="4")], id="a fill was never told"),
    ],
)
def test_witness_that_disagrees_for_long_ends_the_connection(rows: list[dict[str, Any]]) -> None:
    rig = ready(order_row())
    grace = GRACE_NS / NS_PER_MS
    assert of_type(witness(rig, 1_000, *rows), StreamClose) == []
    assert of_type(witness(rig, 1_000 + grace - 1, *rows), StreamClose) == []
    effects = witness(rig, 2_000 + grace, *rows)
    assert of_type(effects, StreamClose)
    assert rig.evident_ms(at(5_000)) is None


def test_what_the_venue_answered_and_the_stream_did_not_tell_is_published() -> None:
    rig = ready()
    effects: list[Effect] = []
    for second in (1, 2, 3, 4):
        effects = witness(rig, second * 1_000, order_row(SECOND))
        if of_type(effects, StreamClose):
            break
    assert [order.order_id for order in facts(effects, "feed.user")] == [SECOND]
    assert of_type(effects, Log)


def test_short_disagreement_is_forgiven() -> None:
    rig = ready()
    witness(rig, 1_000, order_row())
    assert rig.evident_ms(at(1_000)) is None
    rig.hear(order_frame(), at(1_500))
    assert of_type(witness(rig, 3_500, order_row()), StreamClose) == []
    assert rig.evident_ms(at(3_500)) == 3_500


def test_witness_is_asked_each_second_beside_those_without_an_answer_up_to_a_bound() -> None:
    rig = ready()
    every = WITNESS_EVERY_NS / NS_PER_MS
    assert rig.reads(at(every - 1)) == {}
    for number in range(1, LISTS_MAX + 1):
        assert list(rig.reads(at(number * every))) == ["/data/orders"]
    assert rig.reads(at((LISTS_MAX + 1) * every)) == {}


@pytest.mark.req("KS-2")
def test_one_lost_witness_leaves_the_evidence_younger_than_its_limit() -> None:
    rig = ready()
    assert rig.reads(at(1_000)), "never answered"
    rig.answer(rig.reads(at(2_000))["/data/orders"], page(), at(2_010))
    assert rig.evident_ms(at(2_010)) == 2_000


def test_witness_that_was_asked_before_one_that_has_answered_says_nothing() -> None:
    rig = ready()
    older = rig.reads(at(1_000))["/data/orders"]
    newer = rig.reads(at(2_000))["/data/orders"]
    rig.hear(order_frame(), at(2_100))
    rig.answer(newer, page(order_row()), at(2_200))
    rig.answer(older, page(), at(2_300))
    witness(rig, 3_000)
    assert rig.status(at(3_000)).connected, "a difference of one answer is young"


def test_failed_read_is_made_again() -> None:
    rig = ready()
    request = rig.reads(at(1_000))["/data/orders"]
    rig.feed.on_message(HttpFailed(request.request_id, True, "deadline"), at(1_500))
    assert list(rig.reads(at(2_000))) == ["/data/orders"]


@pytest.mark.parametrize("status", [401, 404, 425, 429, 500])
def test_refused_read_is_no_evidence(status: int) -> None:
    rig = ready()
    request = rig.reads(at(1_000))["/data/orders"]
    assert of_type(rig.answer(request, b"{}", at(1_100), status), Log)
    assert rig.evident_ms(at(1_100)) is None


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b'{"data":[]}', b"<html>"])
def test_answer_that_is_no_list_is_no_evidence(body: bytes) -> None:
    """A bare array once made clients believe that nothing was open."""
    rig = ready(order_row())
    request = rig.reads(at(1_000))["/data/orders"]
    effects = rig.answer(request, body, at(1_100))
    assert of_type(effects, Log)
    assert rig.evident_ms(at(1_100)) is None


def test_list_over_several_pages_is_compared_as_a_whole() -> None:
    rig = ready(order_row(), order_row(SECOND))
    request = rig.reads(at(1_000))["/data/orders"]
    (second,) = of_type(
        rig.answer(request, page(order_row(), cursor="Mg=="), at(1_100)), HttpRequest
    )
    assert second.path.endswith("next_cursor=Mg==")
    assert rig.evident_ms(at(1_100)) is None
    rig.answer(second, page(order_row(SECOND)), at(1_200))
    assert rig.evident_ms(at(1_200)) == 1_000


def test_list_without_end_is_given_up() -> None:
    rig = ready()
    request = rig.reads(at(1_000))["/data/orders"]
    for _ in range(PAGES_MAX - 1):
        (request,) = of_type(rig.answer(request, page(cursor="Mg=="), at(1_100)), HttpRequest)
    effects = rig.answer(request, page(cursor="Mg=="), at(1_100))
    assert of_type(effects, HttpRequest) == []
    assert of_type(effects, Log)
    assert rig.evident_ms(at(1_100)) is None


def test_answer_of_an_older_connection_is_ignored() -> None:
    rig = ready(order_row())
    request = rig.reads(at(1_000))["/data/orders"]
    rig.feed.on_message(StreamClosed(rig.stream, 1006, "gone"), at(1_100))
    rig.open(at(1_100))
    assert rig.answer(request, page(), at(1_200)) == []


@pytest.mark.req("DQ-5")
def test_frame_that_cannot_be_read_is_refused_and_counted() -> None:
    rig = ready()
    assert of_type(rig.hear(order_frame(id="no hash"), at(1)), Log)
    assert rig.status(at(1)).rejected_frames == 1


@pytest.mark.req("DQ-4")
@pytest.mark.parametrize(("ahead_ms", "is_taken"), [(5_000, True), (5_001, False)])
def test_event_from_the_future_is_refused(ahead_ms: int, *, is_taken: bool) -> None:
    rig = ready()
    frame = order_frame(timestamp=str(WALL_START_MS + ahead_ms))
    assert bool(facts(rig.hear(frame, at(0)), "feed.user")) == is_taken
