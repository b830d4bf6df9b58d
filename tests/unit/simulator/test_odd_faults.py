"""Answers that are odd, ends that are none, and buckets that somebody else empties."""

from typing import Any

import msgspec
import pytest

from services.simulator.answers import Answer
from services.simulator.faults.quirks import NOTE, QUIRKS, quirk
from tests.builders.venue_rig import VenueRig

TAKEN = {"success": True, "errorMsg": "", "orderID": "0x01", "status": "live"}
REFUSED = {"success": False, "errorMsg": "no", "orderID": "", "status": ""}


def odd(name: str, rows: object) -> Any:
    return msgspec.json.decode(quirk(Answer(200, msgspec.json.encode(rows)), name).body)


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("noted", {"errorMsg": NOTE}),
        ("nameless", {"orderID": ""}),
        ("delayed", {"status": "delayed"}),
        ("unmatched", {"status": "unmatched"}),
    ],
)
@pytest.mark.req("TST-9")
def test_odd_answer_changes_only_what_was_taken(name: str, changed: dict[str, str]) -> None:
    assert odd(name, [TAKEN, REFUSED]) == [{**TAKEN, **changed}, REFUSED]
    assert odd(name, TAKEN) == {**TAKEN, **changed}


def test_short_answer_lacks_the_last_entry_and_a_word_is_no_object() -> None:
    assert odd("short", [TAKEN, TAKEN]) == [TAKEN]
    assert odd("short", TAKEN) == {}
    assert odd("word", TAKEN) == "OK"


@pytest.mark.parametrize("name", QUIRKS)
def test_answer_that_only_refuses_stays_as_it_is(name: str) -> None:
    assert odd(name, [REFUSED]) == [REFUSED]


def bought(rig: VenueRig) -> None:
    """Let the client buy ten of one outcome from itself, at forty and sixty cents."""
    rig.place(outcome=1, price=4_000, size=10)
    rig.place(outcome=0, price=6_000, size=10)


@pytest.mark.req("TST-9")
def test_confirmed_trade_is_undone_and_everything_goes_back() -> None:
    rig = VenueRig(mined_ms=1_000, confirmed_ms=1_000)
    account = rig.core.exchange.accounts.get(rig.client.address)
    rig.fault("undo_settlement", count=1)
    bought(rig)
    rig.advance(2)
    assert sorted(account.tokens.values()) == [10_000_000, 10_000_000]
    rig.advance(2)
    assert account.tokens == {}
    assert account.collateral == 1_000_000_000
    told = [record["status"] for record in rig.kinds("trade")]
    assert told == ["MINED", "CONFIRMED", "FAILED"]


def test_confirmed_trade_stays_when_somebody_has_used_what_he_got() -> None:
    rig = VenueRig(mined_ms=1_000, confirmed_ms=1_000)
    account = rig.core.exchange.accounts.get(rig.client.address)
    rig.fault("undo_settlement", count=1)
    bought(rig)
    rig.advance(2)
    for token in account.tokens:
        account.reserve(token, 1)
    rig.advance(2)
    assert sorted(account.tokens.values()) == [10_000_000, 10_000_000]


@pytest.mark.parametrize(
    ("kind", "orders", "cancels"),
    [
        ("drain_orders", 429, 200),
        ("drain_cancels", 200, 429),
    ],
)
@pytest.mark.req("TST-9")
def test_bucket_that_another_session_empties_refuses(kind: str, orders: int, cancels: int) -> None:
    rig = VenueRig()
    rig.fault(kind, rows=1_000_000)
    assert rig.post(rig.client.order(rig.market))[0] == orders
    assert rig.ask("DELETE", "/cancel-all")[0] == cancels


@pytest.mark.req("TST-9")
def test_stream_tells_the_other_end_and_the_record_the_true_one() -> None:
    rig = VenueRig(mined_ms=1_000, confirmed_ms=1_000)
    rig.follow_user(2)
    rig.fault("other_end", stream="user")
    bought(rig)
    rig.advance(3)
    statuses = [frame["status"] for frame in rig.frames(2) if frame["event_type"] == "trade"]
    assert statuses[-1] == "FAILED"
    assert "CONFIRMED" not in statuses
    assert [record["status"] for record in rig.kinds("trade")][-1] == "CONFIRMED"
