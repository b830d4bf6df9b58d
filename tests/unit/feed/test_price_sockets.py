"""Two price sockets: the older one compares, and carries on where the current one cannot."""

from typing import Any

import msgspec
import pytest

from services.feed.connection_rules import BARRED_NS
from services.feed.legacy_price_socket import DATA_IDLE_NS
from services.feed.messages import CredentialsFound
from services.feed.price import PriceFeed
from services.feed.price_carriers import BACK_TICKS
from services.feed.price_carriers import SILENT_NS_MAX as HANDED_ON_NS
from shared.effects import (
    Effect,
    Log,
    Received,
    StreamClose,
    StreamClosed,
    StreamOpen,
    StreamOpened,
    StreamSend,
    StreamText,
)
from shared.facts import FeedStatus, PriceCarrier, PricesDoubted, ReferencePrice
from shared.identifiers import Asset, Incarnation
from shared.topics import RISK
from shared.units import NS_PER_MS, Instant, WallMs
from shared.venue.auth import Credentials
from tests.builders.feeds import WALL_START_MS, at, config, facts, of_type, sent

CREDENTIALS = Credentials("0x" + "ab" * 20, "the-key", "c2VjcmV0", "the-passphrase")
USD = 100_000


class Rig:
    """A price feed of five-minute markets with both sockets open and confirmed."""

    def __init__(self) -> None:
        settings = config(interval_s=300)
        venue = msgspec.structs.replace(
            settings.venue, legacy_price_socket_url="ws://127.0.0.1:1/rtds"
        )
        self.feed = PriceFeed(msgspec.structs.replace(settings, venue=venue), seed=1)
        self.streams: dict[str, str] = {}
        self.seq: dict[str, int] = {}

    def start(self, milliseconds: float = 0) -> list[Effect]:
        """Open what asks to be opened, and answer what is asked there."""
        now = at(milliseconds)
        effects = self.feed.on_message(CredentialsFound(CREDENTIALS), now)
        effects += self.feed.on_tick(now)
        for opening in of_type(effects, StreamOpen):
            effects += self.opened(opening, now)
        return effects

    def opened(self, opening: StreamOpen, now: Instant) -> list[Effect]:
        name = "legacy" if opening.url.endswith("/rtds") else "current"
        self.streams[name] = opening.stream
        effects = self.feed.on_message(StreamOpened(opening.stream), now)
        if name == "legacy":
            return effects
        self.seq.clear()
        effects += self.hear("current", {"op": "authed", "rid": "auth"}, now)
        for channel in ("price.crypto", "price.crypto.twap"):
            answer = {"op": "subscribed", "rid": "subscribe", "channel": channel}
            effects += self.hear("current", answer, now)
        return effects

    def hear(self, name: str, body: object, now: Instant) -> list[Effect]:
        text = body if isinstance(body, str) else msgspec.json.encode(body).decode()
        return self.feed.on_message(StreamText(self.streams[name], text, now.monotonic_ns), now)

    def close(
        self, name: str, now: Instant, code: int = 1006, reason: str = "gone"
    ) -> list[Effect]:
        return self.feed.on_message(StreamClosed(self.streams[name], code, reason), now)

    def current(self, stamp_ms: int, now: Instant, usd: int = USD) -> list[Effect]:
        """Tell an average over the current socket, stamped so long after the start."""
        channel = "price.crypto.twap"
        self.seq[channel] = self.seq.get(channel, 0) + 1
        payload = {
            "symbol": "btcusd",
            "source": "chainlink",
            "timestamp": WALL_START_MS + stamp_ms,
            "full_accuracy_value": str(usd),
            "window_seconds": 60,
        }
        frame = {"v": 1, "channel": channel, "seq": self.seq[channel], "ts": 1, "payload": payload}
        return self.hear("current", frame, now)

    def legacy(self, stamp_ms: int, now: Instant, usd: int = USD) -> list[Effect]:
        """Tell an average over the older socket."""
        payload = {
            "symbol": "btc/usd",
            "timestamp": WALL_START_MS + stamp_ms,
            "value": float(usd),
            "full_accuracy_value": f"{usd}{'0' * 18}",
            "window_s": 60,
        }
        frame = {"topic": "crypto_prices_twap_sixty", "type": "update", "payload": payload}
        return self.hear("legacy", {**frame, "timestamp": 1, "connection_id": "x"}, now)

    def both(self, first_s: int, last_s: int, legacy_usd: int = USD) -> list[Effect]:
        """Tell a tick each second over both sockets."""
        effects: list[Effect] = []
        for second in range(first_s, last_s + 1):
            now = at(second * 1_000 + 500)
            effects += self.current(second * 1_000, now)
            effects += self.legacy(second * 1_000, now, legacy_usd)
            effects += self.feed.on_tick(now)
        return effects

    def status(self, now: Instant) -> FeedStatus:
        (found,) = facts(list(self.feed.snapshot(now)), "feed.status")
        assert isinstance(found, FeedStatus)
        return found

    def carrier(self, now: Instant) -> PriceCarrier:
        (row,) = self.status(now).carriers
        return row

    def evident_ms(self, now: Instant) -> float | None:
        (entry,) = self.status(now).evidence
        if entry.evident_ns is None:
            return None
        return (entry.evident_ns - at(0).monotonic_ns) / NS_PER_MS


def stamps(effects: list[Effect]) -> list[int]:
    """Return the stamps of the published ticks, in ms after the start."""
    return [tick.venue_ms - WALL_START_MS for tick in facts(effects, "feed.price")]


def running() -> Rig:
    rig = Rig()
    rig.start()
    rig.both(0, 3)
    assert rig.carrier(at(3_600)).socket == "current"
    return rig


@pytest.mark.req("VEN-5")
def test_older_socket_is_subscribed_to_the_oracle_alone_without_a_space() -> None:
    effects = Rig().start()
    (items,) = [frame["subscriptions"] for frame in sent(effects) if "action" in frame]
    assert items == [
        {"topic": topic, "type": "update", "filters": '{"symbol":"btc/usd"}'}
        for topic in ("crypto_prices_chainlink", "crypto_prices_twap_sixty")
    ]


@pytest.mark.req("VEN-5")
def test_ticks_are_told_once_while_both_sockets_tell_them() -> None:
    rig = running()
    effects = rig.both(4, 6)
    assert stamps(effects) == [4_000, 5_000, 6_000]
    assert {tick.socket for tick in facts(effects, "feed.price")} == {"current"}


@pytest.mark.req("VEN-5", "KS-3")
def test_lost_current_socket_is_carried_on_without_any_missing_tick() -> None:
    rig = running()
    rig.close("current", at(3_600))
    effects = rig.legacy(4_000, at(4_500))
    (tick,) = facts(effects, "feed.price")
    assert tick == ReferencePrice(
        Asset("btc"),
        "chainlink_twap_60",
        USD * 10**18,  # type: ignore[arg-type]
        WallMs(WALL_START_MS + 4_000),
        at(4_500).monotonic_ns,
        socket="legacy",
    )
    assert rig.evident_ms(at(4_500)) == 4_500
    row = rig.carrier(at(4_500))
    assert (row.socket, row.since_ns) == ("legacy", at(4_500).monotonic_ns)
    assert row.why == "current socket: closed 1006 gone"
    assert rig.status(at(4_500)).connected


@pytest.mark.req("VEN-5", "KS-3")
@pytest.mark.parametrize(("early_ms", "is_handed_on"), [(1, False), (0, True)])
def test_silent_current_socket_hands_on_what_it_has_missed(
    early_ms: int, *, is_handed_on: bool
) -> None:
    rig = running()
    assert not stamps(rig.legacy(4_000, at(4_500)))
    assert not stamps(rig.legacy(5_000, at(5_400)))
    effects = rig.feed.on_tick(at(3_500 + HANDED_ON_NS / NS_PER_MS - early_ms))
    assert stamps(effects) == ([4_000, 5_000] if is_handed_on else [])
    if is_handed_on:
        assert rig.evident_ms(at(5_500)) == 5_400, "as old as it is, not as its telling"


@pytest.mark.req("VEN-5")
def test_current_socket_carries_again_after_some_ticks_that_are_as_new() -> None:
    rig = running()
    rig.close("current", at(3_600))
    rig.legacy(4_000, at(4_500))
    for opening in of_type(rig.feed.on_tick(at(4_600)), StreamOpen):
        rig.opened(opening, at(4_600))
    for second in range(5, 5 + BACK_TICKS):
        assert rig.carrier(at(second * 1_000)).socket == "legacy"
        rig.legacy(second * 1_000, at(second * 1_000 + 400))
        rig.current(second * 1_000, at(second * 1_000 + 500))
    assert rig.carrier(at(9_000)).socket == "current"
    assert rig.carrier(at(9_000)).why == ""


@pytest.mark.req("VEN-5")
def test_current_socket_that_lags_behind_does_not_come_back() -> None:
    rig = running()
    rig.close("current", at(3_600))
    rig.legacy(14_000, at(14_500))
    for opening in of_type(rig.feed.on_tick(at(14_600)), StreamOpen):
        rig.opened(opening, at(14_600))
    for second in range(5, 11):
        rig.current(second * 1_000, at(14_700 + second))
    assert rig.carrier(at(14_800)).socket == "legacy"


@pytest.mark.req("KS-3")
def test_both_sockets_gone_is_a_feed_that_is_not_connected() -> None:
    rig = running()
    rig.close("current", at(3_600))
    rig.close("legacy", at(3_600))
    assert not rig.status(at(3_600)).connected
    rig.feed.on_tick(at(9_000))
    assert rig.evident_ms(at(9_000)) == 3_500


@pytest.mark.req("VEN-5")
@pytest.mark.parametrize("code", ["auth_invalid", "auth_expired"])
def test_refused_credentials_are_told_and_not_tried_again_for_long(code: str) -> None:
    rig = running()
    effects = rig.hear("current", {"op": "error", "code": code, "rid": "auth"}, at(3_600))
    assert of_type(effects, StreamClose)
    assert {log.level for log in of_type(effects, Log)} == {"error"}
    assert rig.carrier(at(3_600)).refused
    rest_ms = BARRED_NS // NS_PER_MS
    for late_ms in range(0, rest_ms - 1_000, 10_000):
        rig.legacy(4_000 + late_ms, at(4_500 + late_ms))
        assert not of_type(rig.feed.on_tick(at(4_500 + late_ms)), StreamOpen)
    assert rig.carrier(at(rest_ms)).socket == "legacy"
    others = CredentialsFound(CREDENTIALS)
    assert of_type(rig.feed.on_message(others, at(rest_ms)), StreamOpen)
    assert not rig.carrier(at(rest_ms)).refused


@pytest.mark.req("VEN-5")
def test_close_for_our_credentials_rests_like_their_refusal() -> None:
    rig = running()
    rig.close("current", at(3_600), 4001, "auth_attempts")
    assert rig.carrier(at(3_600)).refused
    assert not of_type(rig.feed.on_tick(at(90_000)), StreamOpen)


@pytest.mark.req("VEN-5")
def test_sockets_that_differ_for_some_ticks_raise_a_doubt_that_agreement_ends() -> None:
    rig = running()
    allowed = USD * 5 // 10_000
    rig.both(4, 9, USD + allowed)
    assert rig.carrier(at(10_000)).doubt == ""
    rig.both(10, 11, USD + allowed + 1)
    assert rig.carrier(at(12_000)).doubt == ""
    effects = rig.both(12, 12, USD + allowed + 1)
    assert rig.carrier(at(12_600)).doubt.startswith("chainlink_twap_60: current 100000.00, legacy")
    assert "error" in [log.level for log in of_type(effects, Log)]
    rig.both(13, 14)
    assert rig.carrier(at(14_600)).doubt
    rig.both(15, 15)
    assert rig.carrier(at(15_600)).doubt == ""


@pytest.mark.req("VEN-5")
def test_doubt_outlives_the_socket_that_it_is_about() -> None:
    rig = running()
    rig.both(4, 6, USD + 1_000)
    rig.close("legacy", at(6_600))
    for second in range(7, 12):
        rig.current(second * 1_000, at(second * 1_000 + 500))
    assert rig.carrier(at(12_000)).doubt


def test_silent_older_socket_is_opened_anew() -> None:
    rig = running()
    silent_ms = 3_500 + DATA_IDLE_NS // NS_PER_MS
    for second in range(4, silent_ms // 1_000):
        rig.current(second * 1_000, at(second * 1_000 + 500))
        rig.hear("current", {"op": "pong", "rid": "ping"}, at(second * 1_000 + 500))
        assert not of_type(rig.feed.on_tick(at(second * 1_000 + 500)), StreamClose)
    (closing,) = of_type(rig.feed.on_tick(at(silent_ms)), StreamClose)
    assert closing.stream == rig.streams["legacy"]


def test_older_socket_is_pinged_and_no_pong_is_waited_for() -> None:
    rig = running()
    effects: list[Effect] = []
    for second in range(4, 40):
        effects += rig.both(second, second)
        rig.hear("current", {"op": "pong", "rid": "ping"}, at(second * 1_000 + 500))
    pings = [send for send in of_type(effects, StreamSend) if send.text == "PING"]
    assert len(pings) >= 6
    assert rig.status(at(40_000)).reconnects == 0


@pytest.mark.req("DQ-5")
@pytest.mark.parametrize(
    "frame",
    [
        "{",
        {"topic": "crypto_prices_chainlink", "type": "dance", "payload": {}},
        {"topic": "crypto_prices_chainlink", "type": "update", "payload": {"symbol": "btc/usd"}},
        {
            "topic": "crypto_prices_twap_sixty",
            "type": "update",
            "payload": {"symbol": "btc/usd", "timestamp": 1_790_000_041_000, "window_s": 30},
        },
    ],
)
def test_frame_of_the_older_socket_that_cannot_be_read_is_refused(frame: Any) -> None:
    rig = running()
    effects = rig.hear("legacy", frame, at(4_000))
    assert facts(effects, "feed.price") == []
    assert rig.status(at(4_000)).rejected_frames == 1


def test_refused_subscription_of_the_older_socket_ends_its_connection() -> None:
    rig = running()
    frame = {"body": {"message": "leger GetTopics error"}, "statusCode": 401}
    assert of_type(rig.hear("legacy", frame, at(4_000)), StreamClose)


@pytest.mark.req("CB-3")
def test_doubted_prices_are_read_anew_over_the_socket_that_told_them() -> None:
    rig = running()
    rig.close("current", at(3_600))
    rig.legacy(4_000, at(4_500))
    body = PricesDoubted(Asset("btc"), 1, WallMs(0), "contradicted")
    stamp = at(4_600).monotonic_ns
    fact = Received(RISK, Incarnation(1), "risk.doubted", 1, stamp, stamp, 0, body)
    (closing,) = of_type(rig.feed.on_message(fact, at(4_600)), StreamClose)
    assert closing.stream == rig.streams["legacy"]
    assert not facts(list(rig.feed.snapshot(at(4_600))), "feed.price")
