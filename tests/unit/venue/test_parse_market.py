from typing import Any

import msgspec
import pytest

from shared.venue.faults import Malformed, Unparseable, WireFault
from shared.venue.gamma_wire import FeeSchedule, GammaMarket
from shared.venue.parse_market import market_info, parse_moment
from shared.venue.rules import normal_condition_id

START_S = 1_791_241_200
FEES = FeeSchedule(rate=0.07, exponent=1, taker_only=True, rebate_rate=0.2)


def make_market(**spoilt: Any) -> GammaMarket:
    market = GammaMarket(
        id="5308512",
        slug=f"btc-updown-15m-{START_S}",
        condition_id="0x" + "cd" * 32,
        outcomes='["Up", "Down"]',
        version="v1",
        clob_token_ids='["11", "12"]',
        position_ids=("21", "22"),
        outcome_prices='["0.905", "0.095"]',
        active=True,
        closed=False,
        restricted=True,
        accepting_orders=True,
        enable_order_book=True,
        event_start_time="2026-10-05T23:00:00Z",
        end_date="2026-10-05T23:15:00Z",
        order_price_min_tick_size=0.01,
        order_min_size=5,
        neg_risk=False,
        fees_enabled=True,
        fee_schedule=FEES,
    )
    return msgspec.structs.replace(market, **spoilt)


def test_description_becomes_a_market_in_integers() -> None:
    info = market_info(make_market(), cutoff_lead_ms=10_000)
    assert info.condition_id == normal_condition_id("0x" + "cd" * 32, "market")
    assert (info.asset, info.version, info.outcomes) == ("btc", "v1", ("Up", "Down"))
    assert (info.tick_e4, info.min_size_e6, info.fee_rate_e6) == (100, 5_000_000, 70_000)
    assert (info.start_ms, info.end_ms) == (START_S * 1000, (START_S + 900) * 1000)
    assert info.cutoff_ms == info.end_ms - 10_000
    assert info.accepting_orders
    assert info.winner is None


def test_protocol_version_chooses_the_tokens_even_when_both_are_filled() -> None:
    assert market_info(make_market(), 0).tokens == ("11", "12")
    assert market_info(make_market(version="v2"), 0).tokens == ("21", "22")


@pytest.mark.parametrize(
    "spoilt",
    [
        {"version": None},
        {"version": "v3"},
        {"slug": "will-it-rain"},
        {"slug": f"btc-updown-15m-{START_S + 900}"},
        {"slug": f"btc-updown-5m-{START_S}"},
        {"event_start_time": None},
        {"end_date": None},
        {"end_date": "2026-10-05T23:15:00"},
        {"end_date": "soon"},
        {"condition_id": "0x12"},
        {"clob_token_ids": None},
        {"clob_token_ids": ""},
        {"clob_token_ids": "[]"},
        {"clob_token_ids": '["11"]'},
        {"clob_token_ids": '["11", "11"]'},
        {"clob_token_ids": '["11", "x"]'},
        {"version": "v2", "position_ids": None},
        {"version": "v2", "position_ids": ("21", "22", "23")},
        {"outcomes": None},
        {"outcomes": '["Up"]'},
        {"order_price_min_tick_size": None},
        {"order_price_min_tick_size": 0.02},
        {"order_min_size": None},
        {"neg_risk": None},
        {"active": None},
        {"closed": None},
        {"accepting_orders": None},
        {"restricted": None},
        {"fees_enabled": None},
        {"fee_schedule": None},
        {"fee_schedule": msgspec.structs.replace(FEES, exponent=2)},
        {"fee_schedule": msgspec.structs.replace(FEES, taker_only=False)},
        {"fee_schedule": msgspec.structs.replace(FEES, rate=1.5)},
        {"fee_schedule": msgspec.structs.replace(FEES, rate=-0.1)},
    ],
)
def test_description_that_lacks_or_contradicts_something_is_refused(
    spoilt: dict[str, Any],
) -> None:
    with pytest.raises(WireFault):
        market_info(make_market(**spoilt), 0)


def test_market_without_fees_needs_no_schedule() -> None:
    assert market_info(make_market(fees_enabled=False, fee_schedule=None), 0).fee_rate_e6 == 0


def test_market_without_an_order_book_accepts_no_orders() -> None:
    assert not market_info(make_market(enable_order_book=False), 0).accepting_orders


@pytest.mark.parametrize(
    ("prices", "winner"),
    [('["1", "0"]', 0), ('["0", "1"]', 1), ('["0.5", "0.5"]', -1), ('["1.0", "0.0"]', 0)],
)
@pytest.mark.parametrize("status", ["uma_resolution_status", "resolution_status"])
def test_winner_is_told_once_the_market_is_closed_and_resolved(
    prices: str, winner: int, status: str
) -> None:
    resolved = {"outcome_prices": prices, status: "resolved"}
    assert market_info(make_market(closed=True, **resolved), 0).winner == winner
    assert market_info(make_market(closed=False, **resolved), 0).winner is None
    assert market_info(make_market(closed=True, outcome_prices=prices), 0).winner is None


def test_resolution_at_another_price_is_malformed() -> None:
    with pytest.raises(Malformed):
        market_info(make_market(closed=True, uma_resolution_status="resolved"), 0)


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("1970-01-01T00:00:01Z", 1_000),
        ("2026-10-04T23:08:46.486981Z", 1_791_155_326_486),
        ("2026-07-24 00:00:16+00", 1_784_851_216_000),
        ("1970-01-01T01:00:00+01:00", 0),
    ],
)
def test_moment_is_read_with_its_offset(text: str, milliseconds: int) -> None:
    assert parse_moment(text, "moment") == milliseconds


def test_moment_without_an_offset_is_an_error() -> None:
    with pytest.raises(Unparseable):
        parse_moment("2026-10-05T23:15:00", "moment")
