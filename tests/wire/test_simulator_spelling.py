"""The simulated venue spells its market frames as recorded production frames are spelled.

The recordings are not part of the project; where they are absent the test says so.
"""

import json
import os
import re
from pathlib import Path

import pytest

from tests.builders.venue_rig import VenueRig

CAPTURES = Path(os.environ.get("INTERLOCK_CAPTURES", "../shared/captures"))
BTC_15M = CAPTURES / "adriancova_polymarket-bot-v2" / "market-ws-btc15m-2026-09-30-first11.jsonl"

pytestmark = pytest.mark.skipif(not BTC_15M.is_file(), reason="no recordings of market frames")


def recorded() -> list[str]:
    lines = BTC_15M.read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["payloadUtf8"] for line in lines]


def skeleton(text: str) -> str:
    """Return a frame with every value blank and all levels but one of a side left out."""
    blank = re.sub(r':"[^"]*"', ':""', text)
    one = re.escape('{"price":"","size":""}')
    return re.sub(rf"{one}(, ?{one})+", '{"price":"","size":""}', blank)


def test_changes_and_dumps_have_the_recorded_keys_spaces_and_ends() -> None:
    dump, change = recorded()[:2]
    rig = VenueRig(frames_per_second=20, takers_per_second=0)
    rig.advance(61)
    rig.follow_market(1)
    rig.advance(1)
    ours = rig.pushed[1]
    assert skeleton(ours[0]) == skeleton(dump)
    changes = [text for text in ours[1:] if '"price_change"' in text]
    assert {skeleton(text) for text in changes} == {skeleton(change)}


def test_depth_of_the_first_book_is_that_of_the_recorded_one() -> None:
    real = json.loads(recorded()[0])[0]
    rig = VenueRig(frames_per_second=20, takers_per_second=0)
    rig.advance(0.1)
    book = rig.market.book
    # Theirs was around 0.5 before its window, as is ours before its strike is far.
    assert abs(len(book.bids.prices) - len(real["bids"])) < 10
    assert abs(len(book.asks.prices) - len(real["asks"])) < 10
    for price in (100, 200, 300):
        theirs = next(
            float(row["size"]) for row in real["bids"] if float(row["price"]) == price / 1e4
        )
        assert 0.8 < book.bids.total(price) / 1e6 / theirs < 1.25
