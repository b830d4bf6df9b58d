"""Every limit of a single order just below, at and just above."""

from typing import Any

import msgspec
import pytest

from services.execution.order_checks import (
    Candidate,
    Denial,
    Load,
    OwnQuote,
    check_order,
    clamp_inside,
    worst_unpaired_e6,
)
from shared.config import LimitSettings
from shared.facts import BookView, Side
from shared.identifiers import StrategyName, TokenId
from shared.units import PriceE4, SizeE6
from tests.builders.execution import target
from tests.builders.markets import DOWN, UP, book_view, market_info

SHARE = 1_000_000
BOOK = book_view(UP)
LIMITS = LimitSettings()
EMPTY = Load(0, 0, 0, 0, 0, 0, 100, ())


def reason(
    *,
    load: dict[str, Any] | None = None,
    limits: dict[str, Any] | None = None,
    book: BookView | None = BOOK,
    tick: int = 100,
    market: dict[str, Any] | None = None,
    **spoil: Any,
) -> str | None:
    wish = target(**spoil)
    candidate = Candidate(
        StrategyName("market_making"),
        market_info(**(market or {})),
        wish,
        wish.price,
        PriceE4(tick),
    )
    denial = check_order(
        candidate,
        book,
        msgspec.structs.replace(EMPTY, **(load or {})),
        msgspec.structs.replace(LIMITS, **(limits or {})),
    )
    return None if denial is None else denial.reason


def test_good_order_passes() -> None:
    assert reason() is None


@pytest.mark.req("EX-14")
@pytest.mark.parametrize(
    ("price", "tick", "expected"),
    [
        (4_800, 100, None),
        (4_801, 100, "tick"),
        (4_799, 100, "tick"),
        (4_810, 10, None),
        (0, 100, "tick"),
        (10_000, 100, "tick"),
        (4_800, 7, "tick"),
    ],
)
def test_price_must_be_on_the_tick_and_inside_the_bounds(
    price: int, tick: int, expected: str | None
) -> None:
    assert reason(price=PriceE4(price), tick=tick) == expected


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (4_990_000, "min_size"),
        (5_000_000, None),
        (5_010_000, None),
        (5_010_001, "size_step"),
        (0, "size_step"),
    ],
)
def test_size_must_be_signable_and_reach_the_minimum(size: int, expected: str | None) -> None:
    assert reason(size=SizeE6(size)) == expected


@pytest.mark.parametrize(
    ("level", "expected"), [(-1, "level"), (0, None), (15, None), (16, "level")]
)
def test_level_must_be_inside_the_ladder(level: int, expected: str | None) -> None:
    assert reason(level=level) == expected


@pytest.mark.parametrize(
    ("price", "expected"), [(100, "min_notional"), (1_900, "min_notional"), (2_000, None)]
)
def test_order_that_may_take_must_be_worth_a_dollar(price: int, expected: str | None) -> None:
    five = {"size": SizeE6(5 * SHARE), "limits": {"price_collar_e4": 9_999}}
    assert reason(price=PriceE4(price), post_only=False, purpose="complete", **five) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("shares", "expected"), [(2_000, None), (2_001, "notional"), (1_999, None)]
)
def test_notional_has_a_cap(shares: int, expected: str | None) -> None:
    wide = {
        "shares_per_outcome_max": 10_000,
        "unpaired_shares_global_max": 10_000,
        "exposure_usd_max": 10_000,
        "order_notional_usd_max": 1_000,
    }
    assert reason(price=PriceE4(5_000), size=SizeE6(shares * SHARE), limits=wide) == expected


@pytest.mark.parametrize(
    ("price", "expected"), [(2_900, "collar"), (3_000, None), (3_100, None), (4_900, None)]
)
def test_price_stays_within_the_collar_of_the_mid(price: int, expected: str | None) -> None:
    assert reason(price=PriceE4(price)) == expected


def test_collar_needs_a_book() -> None:
    assert reason(book=None) == "book_unknown"
    assert reason(book=book_view(UP, None, None)) == "book_empty"
    assert reason(book=book_view(UP, 4_700, None)) is None


@pytest.mark.req("EX-24")
@pytest.mark.parametrize(
    ("count", "expected"), [(79, None), (80, "open_orders"), (81, "open_orders")]
)
def test_open_orders_have_a_cap(count: int, expected: str | None) -> None:
    assert reason(load={"exposed_count": count}) == expected


@pytest.mark.req("EX-24")
@pytest.mark.parametrize(
    ("count", "expected"), [(41, None), (42, "cancel_reserve"), (43, "cancel_reserve")]
)
def test_open_orders_never_exceed_what_the_cancels_at_hand_take_out(
    count: int, expected: str | None
) -> None:
    assert reason(load={"exposed_count": count, "exposed_max": 42}) == expected


@pytest.mark.parametrize(("held", "expected"), [(23, None), (24, None), (25, "outcome_cap")])
def test_outcome_has_a_cap_with_all_open_buys_filled(held: int, expected: str | None) -> None:
    assert reason(load={"outcome_e6": held * SHARE}) == expected


@pytest.mark.req("KS-6")
@pytest.mark.parametrize(("elsewhere", "expected"), [(94, None), (95, "unpaired_cap")])
def test_unpaired_shares_have_a_cap_over_all_markets(elsewhere: int, expected: str | None) -> None:
    assert reason(load={"unpaired_elsewhere_e6": elsewhere * SHARE}) == expected


def test_shares_of_the_complement_pair_a_buy() -> None:
    full = {"unpaired_elsewhere_e6": 100 * SHARE, "complement_e6": 6 * SHARE}
    assert reason(load=full) is None


@pytest.mark.parametrize(
    ("cents", "expected"), [(9_711, None), (9_712, None), (9_713, "exposure_cap")]
)
def test_exposure_has_a_cap(cents: int, expected: str | None) -> None:
    assert reason(load={"exposure_e6": cents * 10_000}) == expected


@pytest.mark.req("EX-23")
@pytest.mark.parametrize(("available", "expected"), [(5, "inventory"), (6, None), (7, None)])
def test_sell_needs_confirmed_shares(available: int, expected: str | None) -> None:
    sell = {"side": "SELL", "price": PriceE4(5_300)}
    assert reason(load={"available_e6": available * SHARE}, **sell) == expected  # type: ignore[arg-type]


def test_buy_cannot_reduce() -> None:
    assert reason(reduce_only=True) == "reduce_only"


@pytest.mark.req("EX-26")
@pytest.mark.parametrize(
    ("own", "expected"),
    [
        (OwnQuote(UP, "SELL", PriceE4(4_800)), "own_crossing"),
        (OwnQuote(UP, "SELL", PriceE4(4_900)), None),
        (OwnQuote(UP, "BUY", PriceE4(4_800)), None),
        (OwnQuote(DOWN, "BUY", PriceE4(5_200)), "own_crossing"),
        (OwnQuote(DOWN, "BUY", PriceE4(5_100)), None),
        (OwnQuote(DOWN, "SELL", PriceE4(4_000)), None),
        (OwnQuote(DOWN, "SELL", PriceE4(5_200)), None),
    ],
)
def test_buy_never_meets_our_own_order(own: OwnQuote, expected: str | None) -> None:
    assert reason(load={"own_quotes": (own,)}) == expected


@pytest.mark.req("EX-26")
@pytest.mark.parametrize(
    ("own", "expected"),
    [
        (OwnQuote(UP, "BUY", PriceE4(5_300)), "own_crossing"),
        (OwnQuote(UP, "BUY", PriceE4(5_200)), None),
        (OwnQuote(DOWN, "SELL", PriceE4(4_700)), "own_crossing"),
        (OwnQuote(DOWN, "SELL", PriceE4(4_800)), None),
        (OwnQuote(DOWN, "BUY", PriceE4(4_700)), None),
    ],
)
def test_sell_never_meets_our_own_order(own: OwnQuote, expected: str | None) -> None:
    load = {"own_quotes": (own,), "available_e6": 10 * SHARE}
    assert reason(load=load, side="SELL", price=PriceE4(5_300)) == expected


@pytest.mark.req("EX-12")
@pytest.mark.parametrize(
    ("side", "wished", "clamped"),
    [
        ("BUY", 4_900, 4_900),
        ("BUY", 5_000, 5_000),
        ("BUY", 5_100, 5_000),
        ("BUY", 9_900, 5_000),
        ("SELL", 5_100, 5_100),
        ("SELL", 4_900, 5_000),
        ("SELL", 100, 5_000),
    ],
)
def test_post_only_price_is_clamped_inside_the_spread(side: str, wished: int, clamped: int) -> None:
    wish = target(side=side, price=PriceE4(wished))
    assert clamp_inside(wish, book_view(UP), PriceE4(100)) == clamped


@pytest.mark.parametrize(("side", "price"), [("BUY", 9_999), ("SELL", 1)])
def test_empty_other_side_leaves_room_to_the_last_tick(side: str, price: int) -> None:
    wish = target(side=side, price=PriceE4(price))
    assert clamp_inside(wish, book_view(UP, None, None), PriceE4(1)) == price


def test_price_that_may_take_is_not_clamped() -> None:
    wish = target(price=PriceE4(5_300), post_only=False)
    assert clamp_inside(wish, book_view(UP), PriceE4(100)) == 5_300


def test_no_room_inside_the_spread_is_a_denial() -> None:
    denial = clamp_inside(target(), book_view(UP, None, 100), PriceE4(100))
    assert denial == Denial("no_room_inside_spread", "100")


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ((6, 0), (6, 0), 6),
        ((10, 10), (10, 10), 0),
        ((10, 10), (4, 4), 6),
        ((10, 0), (10, 10), 10),
        ((10, 4), (6, 6), 4),
        ((0, 0), (0, 0), 0),
    ],
)
def test_worst_unpaired_takes_the_most_of_one_side_and_the_least_of_the_other(
    first: tuple[int, int], second: tuple[int, int], expected: int
) -> None:
    assert worst_unpaired_e6(first, second) == expected
    assert worst_unpaired_e6(second, first) == expected


@pytest.mark.req("KS-6")
@pytest.mark.parametrize(("elsewhere", "expected"), [(88, None), (89, "unpaired_cap")])
def test_sell_that_breaks_a_pair_open_counts_against_the_unpaired_cap(
    elsewhere: int, expected: str | None
) -> None:
    load = {
        "available_e6": 12 * SHARE,
        "outcome_least_e6": 12 * SHARE,
        "complement_most_e6": 18 * SHARE,
        "unpaired_elsewhere_e6": elsewhere * SHARE,
    }
    sell: dict[str, Any] = {"side": "SELL", "price": PriceE4(5_300)}
    assert reason(load=load, **sell) == expected
    closing = {**sell, "reduce_only": True, "purpose": "flatten"}
    assert reason(load=load, **closing) is None, "a position can always be closed"


@pytest.mark.req("EX-27")
def test_position_below_the_minimum_is_named_dust() -> None:
    rest: dict[str, Any] = {"side": "SELL", "price": PriceE4(5_300), "size": SizeE6(4 * SHARE)}
    assert reason(**rest) == "min_size"
    assert reason(**rest, reduce_only=True) == "dust"


@pytest.mark.parametrize(("cents", "expected"), [(9_700, None), (9_702, "exposure_cap")])
def test_exposure_of_a_buy_that_may_take_holds_its_fee(cents: int, expected: str | None) -> None:
    taking: dict[str, Any] = {"post_only": False, "purpose": "complete"}
    assert reason(load={"exposure_e6": cents * 10_000}, **taking) == expected


@pytest.mark.parametrize(("over_e6", "expected"), [(0, None), (1, "exposure_cap")])
def test_exposure_is_capped_to_the_micro_dollar(over_e6: int, expected: str | None) -> None:
    wish = target()
    cost_e6 = wish.price * wish.size // 10_000
    left_e6 = LIMITS.exposure_usd_max * 1_000_000 - cost_e6
    assert reason(load={"exposure_e6": left_e6 + over_e6}) == expected


def test_denial_and_load_say_nothing_more_unless_told() -> None:
    assert Denial("why").value == ""
    assert (EMPTY.outcome_least_e6, EMPTY.complement_most_e6) == (0, 0)


@pytest.mark.parametrize("purpose", ["unwind", "flatten", "stop"])
def test_closing_order_may_break_a_pair_open(purpose: Any) -> None:
    load = {
        "available_e6": 12 * SHARE,
        "outcome_least_e6": 12 * SHARE,
        "complement_most_e6": 18 * SHARE,
        "unpaired_elsewhere_e6": 95 * SHARE,
    }
    sell: dict[str, Any] = {"side": "SELL", "price": PriceE4(5_300)}
    assert reason(load=load, **sell) == "unpaired_cap"
    assert reason(load=load, **sell, purpose=purpose, reduce_only=True) is None


def test_buy_below_the_minimum_is_no_dust() -> None:
    assert reason(size=SizeE6(4 * SHARE), reduce_only=True) == "min_size"


@pytest.mark.req("INV-12")
def test_quote_never_takes() -> None:
    assert reason(post_only=False) == "maker_only"
    assert reason(post_only=False, purpose="complete") is None


# --- our own orders never meet, in either token, on either side ---

ORDERS = [(token, side) for token in (UP, DOWN) for side in ("BUY", "SELL")]
GRID = range(1_000, 10_000, 1_000)


def in_one_book(token: TokenId, side: str, price: int) -> tuple[str, int]:
    """Return an order as the market's one book has it: a bid or an ask of the first token."""
    if token == UP:
        return ("bid" if side == "BUY" else "ask", price)
    return ("ask" if side == "BUY" else "bid", 10_000 - price)


@pytest.mark.req("EX-26")
@pytest.mark.parametrize(("own_token", "own_side"), ORDERS)
@pytest.mark.parametrize(("token", "side"), ORDERS)
def test_order_is_denied_exactly_when_one_book_would_match_it_with_ours(
    token: TokenId, side: Side, own_token: TokenId, own_side: Side
) -> None:
    for price in GRID:
        for own_price in GRID:
            kind, level = in_one_book(token, side, price)
            own_kind, own_level = in_one_book(own_token, own_side, own_price)
            matches = kind != own_kind and (
                level >= own_level if kind == "bid" else own_level >= level
            )
            load = {
                "own_quotes": (OwnQuote(own_token, own_side, PriceE4(own_price)),),
                "available_e6": 10 * SHARE,
            }
            denied = reason(
                load=load,
                limits={"price_collar_e4": 9_999},
                token=token,
                side=side,
                price=PriceE4(price),
            )
            assert denied == ("own_crossing" if matches else None), (price, own_price)


@pytest.mark.req("EX-17")
@pytest.mark.parametrize(("price", "expected"), [(2_900, "collar"), (3_000, None)])
def test_closing_order_slips_no_farther_than_the_collar(price: int, expected: str | None) -> None:
    stop: dict[str, Any] = {"side": "SELL", "post_only": False, "reduce_only": True}
    load = {"available_e6": 2_000 * SHARE}
    big = SizeE6(1_000 * SHARE)
    found = reason(load=load, price=PriceE4(price), size=big, purpose="stop", **stop)
    assert found == expected, "and no cap on one order's value keeps a position open"
