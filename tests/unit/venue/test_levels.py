"""One side of a book in sorted arrays."""

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.units import PriceE4, SizeE6
from shared.venue.book_hash import level_text
from shared.venue.levels import Levels

SIDES: tuple[Literal["BUY", "SELL"], ...] = ("BUY", "SELL")
CHANGES = st.lists(st.tuples(st.integers(1, 30), st.integers(0, 3)), max_size=60)


@given(CHANGES, st.sampled_from(SIDES))
def test_side_holds_what_it_was_told_last_of_each_price(
    changes: list[tuple[int, int]], side: Literal["BUY", "SELL"]
) -> None:
    levels = Levels(side)
    truth: dict[PriceE4, SizeE6] = {}
    for price, size in changes:
        levels.set(PriceE4(price), SizeE6(size))
        truth[PriceE4(price)] = SizeE6(size)
    rows = sorted(((price, size) for price, size in truth.items() if size), reverse=side == "SELL")
    assert levels.texts == [level_text(price, size) for price, size in rows]
    assert levels.frozen().all() == tuple(reversed(rows))
    assert levels.best() == (rows[-1][0] if rows else None)
    other = Levels(side)
    other.replace(list(reversed(rows)))
    assert (other.keys, other.sizes, other.texts) == (levels.keys, levels.sizes, levels.texts)


@pytest.mark.parametrize("side", SIDES)
def test_frozen_side_does_not_change_with_the_living_one(side: Literal["BUY", "SELL"]) -> None:
    levels = Levels(side)
    levels.set(PriceE4(10), SizeE6(1))
    frozen = levels.frozen()
    levels.set(PriceE4(10), SizeE6(2))
    levels.clear()
    assert frozen.all() == ((10, 1),)
    assert not levels
    assert levels.best() is None


def test_as_many_levels_are_shown_as_there_are() -> None:
    levels = Levels("SELL")
    for price in (7, 5, 6):
        levels.set(PriceE4(price), SizeE6(price))
    frozen = levels.frozen()
    assert frozen.top(2) == ((5, 5), (6, 6))
    assert frozen.top(9) == ((5, 5), (6, 6), (7, 7))
    assert frozen.top(0) == ()
