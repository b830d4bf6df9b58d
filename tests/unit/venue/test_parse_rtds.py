"""Frames of the older price socket: only what the oracle told exactly becomes a tick."""

import pytest

from shared.facts import ReferencePrice
from shared.identifiers import Asset
from shared.units import MonotonicNs, ReferenceE18, WallMs
from shared.venue.faults import WireFault
from shared.venue.parse_rtds import POINTS_MAX, rtds_prices
from shared.venue.rtds_wire import RtdsData, RtdsPayload, RtdsPoint, decode_rtds_frame
from tests.architecture.tree import ROOT

CAPTURE = ROOT.parent / "shared/captures/polyoxide/rtds-captured-2026-09-05.jsonl"
NOW = MonotonicNs(7)


def ticks(text: str) -> tuple[ReferencePrice, ...]:
    frame = decode_rtds_frame(text)
    assert isinstance(frame, RtdsData)
    return rtds_prices(frame, NOW)


def frame(**payload: object) -> RtdsData:
    values = {"symbol": "btc/usd", "timestamp": 1_788_600_388_000, **payload}
    return RtdsData("crypto_prices_chainlink", "update", RtdsPayload(**values))  # type: ignore[arg-type]


@pytest.mark.req("VEN-5")
def test_recorded_frames_are_read_exactly() -> None:
    if not CAPTURE.exists():
        pytest.skip("recorded frames are not here")
    lines = CAPTURE.read_text().splitlines()
    assert decode_rtds_frame(lines[8]) == 401
    binance, binance_past, spot, spot_past, thirty, thirty_past, sixty, sixty_past = map(
        ticks, lines[:8]
    )
    assert spot == (
        ReferencePrice(
            Asset("btc"),
            "chainlink",
            ReferenceE18(79_696_948_174_287_960_000_000),
            WallMs(1_788_600_388_000),
            NOW,
            socket="legacy",
        ),
    )
    assert [tick.value_e18 for tick in sixty] == [79_697_575_317_474_428_059_648]
    assert [tick.source for tick in sixty_past] == ["chainlink_twap_60"] * 3
    assert binance == binance_past == spot_past == thirty == thirty_past == ()


def test_empty_first_frame_says_nothing() -> None:
    assert decode_rtds_frame("") is None


@pytest.mark.req("DQ-5")
@pytest.mark.parametrize("symbol", ["btcusdt", "BTC/usd", "/usd", ""])
def test_symbol_that_is_no_underlying_is_refused(symbol: str) -> None:
    with pytest.raises(WireFault):
        rtds_prices(frame(symbol=symbol, full_accuracy_value="1"), NOW)


@pytest.mark.req("DQ-5")
@pytest.mark.parametrize("value", ["0", "-5", "1.5", "1e18", "x"])
def test_value_that_is_no_whole_number_above_zero_is_refused(value: str) -> None:
    with pytest.raises(WireFault):
        rtds_prices(frame(full_accuracy_value=value), NOW)


def test_rounded_value_is_no_tick() -> None:
    assert rtds_prices(frame(), NOW) == ()


def test_backfill_without_end_is_refused() -> None:
    points = (RtdsPoint(1_788_600_388_000, "1"),) * (POINTS_MAX + 1)
    with pytest.raises(WireFault):
        rtds_prices(frame(data=points), NOW)
