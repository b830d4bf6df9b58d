"""A venue that plays a recording: what it tells, how markets end, how it goes on after a kill."""

import json
from typing import Any

import pytest

from services.simulator.edge import StreamOpened, StreamText
from services.simulator.oracles.recording import Recording
from services.simulator.saved import Saved, fold
from shared.identifiers import Asset
from shared.units import NS_PER_S
from shared.venue.wire import encode
from tests.builders.recordings import E8, START_S, market_row, prices, recording, waving
from tests.builders.venue_rig import START_S as RIG_S
from tests.builders.venue_rig import VenueRig

BTC = Asset("btc")
FIVE: dict[str, Any] = {"interval_s": 60, "speed": 5.0}


def rig(played: Recording, interval_s: int = 60, **terms: Any) -> VenueRig:
    return VenueRig(interval_s=interval_s, recording=played, resolution_ms=500, **terms)


def price_frames(venue: VenueRig, connection: int) -> list[tuple[float, float, float]]:
    """Return telling, moment (seconds of wall time from the start), and price of each update."""
    found = []
    for text in venue.pushed[connection]:
        frame = json.loads(text)
        payload = frame.get("payload", {})
        if frame.get("channel") == "price.crypto" and "timestamp" in payload:
            moment_s = payload["timestamp"] / 1000 - RIG_S
            found.append((frame["ts"] / 1000 - RIG_S, moment_s, payload["value"]))
    return found


def listen(venue: VenueRig, connection: int = 77) -> None:
    keys = venue.client.credentials
    auth = {"apiKey": keys.api_key, "secret": keys.secret, "passphrase": keys.passphrase}
    wish = {"channel": "price.crypto", "filter": {"symbol": "btcusd", "provider": "chainlink"}}
    venue.take(venue.core.on_message(StreamOpened(connection, "price"), venue.now))
    for frame in (
        {"op": "auth", "rid": "1", "auth": auth},
        {"op": "subscribe", "rid": "2", "subscriptions": [wish]},
    ):
        text = encode(frame).decode()
        venue.take(venue.core.on_message(StreamText(connection, text), venue.now))


def test_prices_are_told_as_late_as_they_were_and_not_in_holes() -> None:
    venue = rig(recording(waving(310, holes=((20, 60),)), interval_s=60))
    listen(venue)
    venue.advance(70)
    frames = price_frames(venue, 77)
    assert {round(told - moment, 2) for told, moment, _ in frames} == {1.35}
    moments = [round(moment) for _, moment, _ in frames]
    assert moments[:20] == list(range(1, 21))
    assert moments[20:] == list(range(60, 69))


def test_faster_recording_shrinks_prices_lateness_and_windows_alike() -> None:
    venue = rig(recording(waving(900), **FIVE))
    listen(venue)
    venue.advance(30)
    frames = price_frames(venue, 77)
    assert len(frames) in range(145, 152), "five a second"
    assert {round(told - moment, 2) for told, moment, _ in frames} <= {0.27, 0.28}
    starts = [market.start_ms for market in venue.core.exchange.calendar]
    assert starts == [(RIG_S + 60 * number) * 1000 for number in range(3)], "and no fourth"
    venue.advance(200)
    assert len(list(venue.core.exchange.calendar)) == 3
    assert {market.state for market in venue.core.exchange.calendar} == {"RESOLVED"}


def test_window_resolves_as_recorded_even_against_the_rule() -> None:
    rising = prices(*((at_s, 100 + at_s) for at_s in range(901)))
    told = recording(rising, market_row(0, up=False), market_row(1, up=True), **FIVE)
    venue = rig(told)
    venue.advance(185)
    winners = [market.winner for market in venue.core.exchange.calendar]
    assert winners == [1, 0, 0], "told, told, and by the rule where nothing is told"


def test_recorded_strike_stands_above_the_price() -> None:
    row = market_row(strike_value=str(99 * 10**18))
    venue = rig(recording(prices((0, 100), (900, 100)), row, **FIVE))
    venue.advance(65)
    first, second = list(venue.core.exchange.calendar)[:2]
    assert (first.strike_e8, second.strike_e8) == (99 * E8, 100 * E8)


def test_recorded_market_settles_on_the_spot_and_an_untold_one_on_the_average() -> None:
    venue = rig(recording(waving(900), market_row(), **FIVE))
    lookbacks = [market.lookback_ms for market in venue.core.exchange.calendar]
    assert lookbacks == [0, 12_000, 12_000], "a recorded minute is twelve seconds here"


def test_killed_venue_goes_on_in_the_recording_where_it_was() -> None:
    played = recording(waving(900), market_row(), **FIVE)
    twin = rig(played, saved=Saved())
    twin.advance(20)
    later = rig(played, saved=fold(twin.journal), at_ns=twin.ns + 15 * NS_PER_S)
    twin.advance(15)
    for venue in (twin, later):
        venue.advance(60)
    left, right = (venue.core.exchange.oracles[BTC] for venue in (twin, later))
    assert left.position == right.position
    assert [tick for tick in left.history if tick in right.history][-200:] == (
        list(left.history)[-200:]
    )
    assert [market.winner for market in twin.core.exchange.calendar] == [
        market.winner for market in later.core.exchange.calendar
    ]


def test_journal_names_the_recording() -> None:
    played = recording(waving(900), **FIVE)
    venue = rig(played, saved=Saved())
    assert fold(venue.journal).prices == played.name
    venue.advance(5)
    assert fold(venue.journal).prices == played.name
    plain = VenueRig(interval_s=60, saved=Saved())
    assert fold(plain.journal).prices == ""


@pytest.mark.parametrize("speed", [1.0, 2.5, 5.0])
def test_deviation_grows_with_the_root_of_the_speed(speed: float) -> None:
    played = waving(900)
    venue = rig(recording(played, interval_s=round(300 / speed), speed=speed), round(300 / speed))
    found = venue.core.exchange.oracles[BTC].deviation
    assert found == pytest.approx(played.deviation() * speed**0.5)


def test_recording_that_has_ended_tells_nothing_and_does_not_hurry() -> None:
    venue = rig(recording(waving(310), **FIVE))
    listen(venue)
    venue.advance(100)
    count = len(venue.pushed[77])
    venue.advance(30)
    assert len(venue.pushed[77]) == count
    assert venue.core.next_ns() - venue.ns > NS_PER_S


def test_start_of_the_recording_is_the_window_that_runs() -> None:
    venue = rig(recording(waving(900), **FIVE), at_ns=17 * NS_PER_S)
    assert venue.core.exchange.oracles[BTC].position == RIG_S * 1000
    assert START_S % 300 == 0
