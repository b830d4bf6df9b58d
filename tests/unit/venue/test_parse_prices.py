from typing import Any

import msgspec
import pytest

from shared.units import MonotonicNs
from shared.venue.faults import WireFault
from shared.venue.parse_prices import asset_of_symbol, reference_prices, symbol_of_asset
from shared.venue.prices_wire import PriceData, PriceFilter, PricePayload, PricePoint

NOW = MonotonicNs(5)
STAMP_MS = 1_788_886_057_000
UPDATE = PricePayload(
    symbol="btcusd",
    source="chainlink",
    timestamp=STAMP_MS,
    value=78803.76,
    full_accuracy_value="78803.76173179",
)


def make_frame(channel: str = "price.crypto", **spoilt: Any) -> PriceData:
    return PriceData(1, channel, 1, STAMP_MS + 700, msgspec.structs.replace(UPDATE, **spoilt))


def test_update_is_one_tick_with_full_accuracy() -> None:
    (tick,) = reference_prices(make_frame(), NOW)
    assert (tick.asset, tick.source, tick.venue_ms) == ("btc", "chainlink", STAMP_MS)
    assert tick.value_e18 == 78_803_761_731_790_000_000_000
    assert tick.received_ns == NOW


def test_number_is_used_when_the_full_text_is_missing() -> None:
    (tick,) = reference_prices(make_frame(full_accuracy_value=None), NOW)
    assert tick.value_e18 == 78_803_760_000_000_000_000_000


def test_snapshot_is_all_its_ticks_and_perhaps_none() -> None:
    points = (PricePoint(STAMP_MS, 1), PricePoint(STAMP_MS + 1000, 2))
    ticks = reference_prices(make_frame(data=points, timestamp=None), NOW)
    assert [tick.venue_ms for tick in ticks] == [STAMP_MS, STAMP_MS + 1000]
    assert reference_prices(make_frame(data=()), NOW) == ()


def test_average_has_a_source_of_its_own() -> None:
    (tick,) = reference_prices(make_frame("price.crypto.twap", window_seconds=60), NOW)
    assert tick.source == "chainlink_twap_60"


def test_carried_forward_price_is_left_out() -> None:
    assert reference_prices(make_frame(is_carried_forward=True), NOW) == ()
    assert len(reference_prices(make_frame(is_carried_forward=False), NOW)) == 1


def test_channel_that_we_do_not_use_is_left_out() -> None:
    assert reference_prices(make_frame("price.equity"), NOW) == ()


def test_frame_that_leaves_symbol_and_source_out_takes_the_only_subscription() -> None:
    frame = make_frame(symbol="", source="")
    (tick,) = reference_prices(frame, NOW, PriceFilter("ethusd", provider="pyth"))
    assert (tick.asset, tick.source) == ("eth", "pyth")
    with pytest.raises(WireFault):
        reference_prices(frame, NOW)


@pytest.mark.parametrize(
    "spoilt",
    [
        {"symbol": "btc"},
        {"symbol": "usd"},
        {"symbol": "BTCusd"},
        {"source": "rumour"},
        {"source": ""},
        {"timestamp": None},
        {"timestamp": 0},
        {"value": None, "full_accuracy_value": None},
        {"full_accuracy_value": "0"},
        {"full_accuracy_value": "lots"},
        {"data": (PricePoint(STAMP_MS, 1),) * 4_097},
    ],
)
def test_frame_with_a_field_that_cannot_be_is_refused(spoilt: dict[str, Any]) -> None:
    with pytest.raises(WireFault):
        reference_prices(make_frame(**spoilt), NOW)


@pytest.mark.parametrize("spoilt", [{"window_seconds": 30}, {"source": "pyth"}])
def test_average_of_another_kind_is_refused(spoilt: dict[str, Any]) -> None:
    with pytest.raises(WireFault):
        reference_prices(make_frame("price.crypto.twap", **spoilt), NOW)


def test_price_of_something_not_subscribed_is_refused() -> None:
    with pytest.raises(WireFault):
        reference_prices(make_frame(), NOW, PriceFilter("ethusd"))


def test_symbol_and_asset_name_each_other() -> None:
    assert symbol_of_asset(asset_of_symbol("btcusd")) == "btcusd"
