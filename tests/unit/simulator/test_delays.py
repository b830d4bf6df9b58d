"""Orders that are judged later than they are answered, and settlements that take their time."""

import pytest

from shared.venue.wire import encode
from tests.builders.venue_rig import VenueRig


def crossing(rig: VenueRig) -> bytes:
    """Return a post that would match what is placed here."""
    rig.place(outcome=1, price=4_000, size=10)
    return encode(rig.client.order(rig.market, price=6_000, size=10))


def statuses(rig: VenueRig) -> list[str]:
    return [record["status"] for record in rig.kinds("trade")]


@pytest.mark.req("TST-9")
@pytest.mark.parametrize("by_fault", [True, False])
def test_delayed_order_is_answered_at_once_and_matched_later(*, by_fault: bool) -> None:
    rig = VenueRig(seconds_delay_ms=0 if by_fault else 1_500)
    if by_fault:
        rig.fault("delay_match", delay_ms=1_500)
    rig.follow_user(2)
    status, body = rig.ask("POST", "/order", crossing(rig))
    assert (status, body["status"], body["success"]) == (200, "delayed", True)
    order_id = body["orderID"]
    _, cancel = rig.ask("DELETE", "/order", encode({"orderID": order_id}))
    assert order_id in cancel["not_canceled"]
    rig.frames(2)
    rig.advance(1.499)
    assert rig.frames(2) == []
    rig.advance(0.001)
    assert "trade" in {frame["event_type"] for frame in rig.frames(2)}
    assert rig.ask("GET", f"/data/order/{order_id}")[1]["size_matched"] == "10"


def test_delayed_order_is_judged_by_the_book_of_its_moment() -> None:
    rig = VenueRig(seconds_delay_ms=1_000)
    post = crossing(rig)
    assert rig.ask("POST", "/order", post)[1]["status"] == "delayed"
    rig.ask("DELETE", "/cancel-all")
    rig.advance(1)
    assert statuses(rig) == []
    assert len(rig.open_ids()) == 1


@pytest.mark.req("TST-9")
def test_settlement_goes_through_what_is_asked_for() -> None:
    rig = VenueRig(mined_ms=1_000, confirmed_ms=1_000)
    rig.fault("hold_broadcast", delay_ms=2_000, count=1)
    rig.fault("retry_settlement", count=1)
    rig.fault("slow_settlement", delay_ms=5_000, count=1)
    rig.send("POST", "/order", crossing(rig))
    rig.advance(1)
    assert statuses(rig) == ["MATCHED_NOT_BROADCASTED"]
    rig.advance(7.1)
    assert statuses(rig)[1:] == ["RETRYING"]
    assert rig.core.exchange.trades.pending() != []
    rig.advance(8.1)
    assert statuses(rig)[2:] == ["MINED"]
    rig.advance(1)
    assert statuses(rig)[3:] == ["CONFIRMED"]


@pytest.mark.parametrize(("moves_to", "ends"), [(7_000, "FAILED"), (5_000, "CONFIRMED")])
def test_winning_trade_alone_fails(moves_to: int, ends: str) -> None:
    rig = VenueRig(mined_ms=1_000)
    rig.fault("fail_winners")
    rig.core.exchange.trades.is_won = lambda trade: moves_to > trade.price
    rig.send("POST", "/order", crossing(rig))
    rig.advance(5)
    assert statuses(rig)[-1] == ends
