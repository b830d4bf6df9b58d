"""Every recorded answer of discovery and of prices, read by what reads the venue's own."""

import csv
import io
import json
from itertools import pairwise

import msgspec
import pytest

from shared.facts import ReferencePrice
from shared.units import MonotonicNs
from shared.venue.faults import Malformed
from shared.venue.gamma_wire import MARKET
from shared.venue.market_wire import CLOB_MARKET
from shared.venue.parse_market import market_info
from shared.venue.parse_prices import reference_prices
from shared.venue.prices_wire import (
    CRYPTO_CHANNEL,
    PriceData,
    PriceError,
    PriceFilter,
    decode_price_frame,
)
from shared.venue.wire import decode
from tests.builders.captures import (
    ABSENT,
    ANSWERS,
    CAPTURES,
    LEGACY_PRICES,
    PRICE_HEAD,
    TICKS,
    frames_of,
    of_kind,
    text_of,
)

pytestmark = pytest.mark.skipif(not CAPTURES.is_dir(), reason=ABSENT)

RECEIVED = MonotonicNs(1)


@pytest.mark.req("MR-1")
def test_every_recorded_description_of_a_market_is_read() -> None:
    count = 0
    for name in of_kind("discovery"):
        for found in frames_of(name):
            row = found["raw"] | {"version": "v1"} if "raw" in found else found
            info = market_info(decode(MARKET, json.dumps(row), "market"), cutoff_lead_ms=10_000)
            assert info.start_ms < info.cutoff_ms < info.end_ms
            assert info.condition_id == row["conditionId"]
            count += 1
    assert count == 293


@pytest.mark.parametrize("name", ["event", "events_list", "market_slug", "markets_list"])
def test_descriptions_that_were_cut_are_refused(name: str) -> None:
    rows = [
        row
        for found in frames_of(f"{ANSWERS}/{name}.json")
        for row in found.get("markets", [found])
    ]
    assert rows
    for row in rows:
        with pytest.raises(Malformed):
            decode(MARKET, json.dumps(row), "market")


def test_long_records_of_2024_are_refused() -> None:
    (several,) = frames_of(f"{ANSWERS}/markets.json")
    rows = [*frames_of(f"{ANSWERS}/market.json"), *several["data"]]
    assert len(rows) == 101
    for row in rows:
        with pytest.raises(Malformed, match="`c`"):
            decode(CLOB_MARKET, json.dumps(row), "market")


@pytest.mark.req("VEN-5")
def test_every_tick_of_a_recorded_day_has_its_exact_price() -> None:
    """As frames of the price socket; the recorded one told eighteen places without a point."""
    rows = list(csv.DictReader(io.StringIO(text_of(TICKS))))
    assert len(rows) == 78_515
    stamps = []
    for seq, row in enumerate(rows[::5]):
        scaled = int(row["full_accuracy_value"])
        whole, rest = divmod(scaled, 10**18)
        frame = {
            "v": 1,
            "channel": CRYPTO_CHANNEL,
            "seq": seq,
            "ts": int(row["server_ts_ms"]),
            "payload": {
                "symbol": "btcusd",
                "source": "chainlink",
                "timestamp": int(row["feed_ts_ms"]),
                "value": float(row["value"]),
                "full_accuracy_value": f"{whole}.{rest:018d}",
            },
        }
        (tick,) = ticks_of(msgspec.json.encode(frame).decode())
        assert tick.value_e18 == scaled
        stamps.append(tick.venue_ms)
    assert all(before < after for before, after in pairwise(stamps))


def test_every_frame_of_the_recorded_price_socket_is_known() -> None:
    frames = [decode_price_frame(json.dumps(frame)) for frame in frames_of(PRICE_HEAD)]
    assert len(frames) == 5
    data = [frame for frame in frames if isinstance(frame, PriceData)]
    assert data
    assert [frame for frame in frames if isinstance(frame, PriceError)] == [PriceError("bad_op")]


def test_frames_of_the_legacy_socket_are_never_prices_of_the_current_one() -> None:
    frames = frames_of(LEGACY_PRICES)
    assert len(frames) >= 7
    for frame in frames:
        try:
            read = decode_price_frame(json.dumps(frame))
        except Malformed:
            continue
        assert not isinstance(read, PriceData)


def ticks_of(text: str) -> tuple[ReferencePrice, ...]:
    frame = decode_price_frame(text)
    assert isinstance(frame, PriceData)
    return reference_prices(frame, RECEIVED, PriceFilter("btcusd", provider="chainlink"))
