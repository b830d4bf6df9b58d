"""The older price socket: frames as recorded, and the quirks that its users know."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.builders.venue_rig import VenueRig

CAPTURE = Path(__file__).parents[4] / "shared" / "captures" / "polyoxide"
TOPICS = (
    "crypto_prices",
    "crypto_prices_chainlink",
    "crypto_prices_twap_thirty",
    "crypto_prices_twap_sixty",
)


def follow(rig: VenueRig, *items: dict[str, str]) -> list[Any]:
    rig.open(6, "rtds")
    assert rig.pushed[6].pop(0) == ""
    rig.say(6, {"action": "subscribe", "subscriptions": list(items)})
    return rig.frames(6)


def item(topic: str, symbol: str = "", kind: str = "update") -> dict[str, str]:
    filters = {"filters": json.dumps({"symbol": symbol}, separators=(",", ":"))} if symbol else {}
    return {"topic": topic, "type": kind, **filters}


def symbol_of(topic: str) -> str:
    return "btcusdt" if topic == "crypto_prices" else "btc/usd"


@pytest.mark.req("VEN-5")
@pytest.mark.parametrize("topic", TOPICS)
def test_frames_have_the_names_and_types_of_recorded_ones(topic: str) -> None:
    files = list(CAPTURE.glob("rtds-captured-*.jsonl"))
    if not files:
        pytest.skip("recorded frames are not at hand")
    recorded = [json.loads(line) for line in files[0].read_text().splitlines()]
    rig = VenueRig()
    told = follow(rig, item(topic, symbol_of(topic)))
    rig.advance(3)
    told += rig.frames(6)
    for frame in (told[0], told[-1]):
        (known,) = (
            other
            for other in recorded
            if other.get("type") == frame["type"]
            and other["payload"]["symbol"] == frame["payload"]["symbol"]
            and other["payload"].get("window_s") == frame["payload"].get("window_s")
        )
        assert set(frame) == set(known)
        assert frame["topic"] == known["topic"]
        assert set(frame["payload"]) == set(known["payload"])
        if frame["type"] == "subscribe":
            assert set(frame["payload"]["data"][0]) == set(known["payload"]["data"][0])
        else:
            mine, theirs = (f["payload"]["full_accuracy_value"] for f in (frame, known))
            assert mine.isdigit() == theirs.isdigit()
            assert len(frame["connection_id"]) == len(known["connection_id"])


def test_past_of_a_symbol_comes_first_and_is_mislabelled() -> None:
    rig = VenueRig()
    binance, chainlink = follow(
        rig, item("crypto_prices", "btcusdt"), item("crypto_prices_chainlink", "btc/usd")
    )
    assert binance["topic"] == chainlink["topic"] == "crypto_prices"
    assert chainlink["payload"]["symbol"] == "btc/usd"
    assert len(binance["payload"]["data"]) >= 110
    assert 50 <= len(chainlink["payload"]["data"]) <= 60
    stamps = [point["timestamp"] for point in chainlink["payload"]["data"]]
    assert stamps == sorted(set(stamps))


@pytest.mark.req("VEN-5")
def test_prices_come_once_a_second_and_agree_with_the_present_socket() -> None:
    rig = VenueRig(price_ms=500)
    rig.open(4, "price")
    rig.say(4, {"op": "auth", "rid": "a", "auth": rig.auth()})
    spot = {"channel": "price.crypto", "filter": {"symbol": "btcusd"}}
    rig.say(4, {"op": "subscribe", "rid": "1", "subscriptions": [spot]})
    follow(rig, item("crypto_prices_chainlink"))
    rig.advance(5)
    exact = {
        frame["payload"]["timestamp"]: frame["payload"]["full_accuracy_value"]
        for frame in rig.frames(4)
        if "payload" in frame and not frame.get("snapshot")
    }
    ticks = rig.frames(6)
    assert len(ticks) in (3, 4, 5)
    for tick in ticks:
        payload = tick["payload"]
        assert payload["timestamp"] % 1_000 == 0
        assert (
            int(payload["full_accuracy_value"])
            == round(float(exact[payload["timestamp"]]) * 10**8) * 10**10
        )


@pytest.mark.parametrize(
    ("filters", "has_past"),
    [
        ('{"symbol": "btc/usd"}', True),
        ('{"symbol":"btc/usd,eth/usd"}', False),
        ('{"symbol":"BTC/USD"}', False),
        ("btc/usd", False),
    ],
)
def test_filter_is_compared_as_text(filters: str, has_past: bool) -> None:
    rig = VenueRig()
    wanted = {"topic": "crypto_prices_chainlink", "type": "update", "filters": filters}
    assert [frame["type"] for frame in follow(rig, wanted)] == ["subscribe"] * has_past
    rig.advance(5)
    assert rig.frames(6) == []


def test_unknown_topic_spoils_the_whole_subscription() -> None:
    rig = VenueRig()
    (refused,) = follow(rig, item("crypto_prices_chainlink", "btc/usd"), item("no_topic"))
    assert refused["statusCode"] == 401
    assert "topic: no_topic and type: update not found" in refused["body"]["message"]
    rig.advance(3)
    assert rig.frames(6) == []
    rig.say(6, {"action": "subscribe", "subscriptions": [item("comments", kind="nonsense")]})
    assert rig.frames(6)[0]["statusCode"] == 401


def test_ping_is_never_answered_and_quiet_topics_are_accepted() -> None:
    rig = VenueRig()
    assert follow(rig, item("equity_prices"), item("comments", kind="comment_created")) == []
    rig.say(6, "PING")
    rig.advance(3)
    assert rig.frames(6) == []


def test_second_subscription_is_accepted_and_one_can_be_ended() -> None:
    rig = VenueRig(assets=("btc", "eth"))
    first, second = (item("crypto_prices_chainlink", f"{asset}/usd") for asset in ("btc", "eth"))
    follow(rig, first)
    rig.say(6, {"action": "subscribe", "subscriptions": [second]})
    rig.advance(3)
    symbols = {frame["payload"]["symbol"] for frame in rig.frames(6)}
    assert symbols == {"btc/usd", "eth/usd"}
    rig.say(6, {"action": "unsubscribe", "subscriptions": [first]})
    rig.advance(3)
    assert {frame["payload"]["symbol"] for frame in rig.frames(6)} == {"eth/usd"}


@pytest.mark.req("TST-1")
def test_silence_leaves_the_socket_open() -> None:
    rig = VenueRig()
    follow(rig, item("crypto_prices_chainlink"))
    rig.fault("silence", stream="rtds", duration_ms=3_000)
    rig.advance(3)
    assert rig.frames(6) == []
    assert rig.closed == []
    rig.advance(3)
    assert rig.frames(6)
    rig.ask("POST", "/admin/drop", b'{"stream":"rtds","code":1006}')
    assert [closed.connection for closed in rig.closed] == [6]
