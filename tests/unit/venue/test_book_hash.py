import json

import msgspec
import pytest

from shared.identifiers import ConditionId, TokenId
from shared.units import PriceE4, SizeE6, WallMs
from shared.venue import book_hash
from shared.venue.book_hash import HashedBook


def make_book(**spoilt: object) -> HashedBook:
    book = HashedBook(
        market=ConditionId("0x" + "ab" * 32),
        token=TokenId("123"),
        venue_ms=WallMs(1_790_766_966_313),
        bids=((PriceE4(100), SizeE6(92_790_000_000)), (PriceE4(4900), SizeE6(634_490_000))),
        asks=((PriceE4(9900), SizeE6(1)), (PriceE4(5000), SizeE6(45_200_000))),
        min_size_e6=SizeE6(5_000_000),
        tick_e4=PriceE4(100),
        neg_risk=False,
        version="v1",
    )
    return msgspec.structs.replace(book, **spoilt)


def test_hashed_text_is_the_compact_json_of_the_documented_keys() -> None:
    text = book_hash._text_before_last_trade(make_book(version="v2"))
    text += "0.490" + book_hash._text_after_last_trade(make_book(version="v2"))
    expected = {
        "market": "0x" + "ab" * 32,
        "asset_id": "123",
        "timestamp": "1790766966313",
        "hash": "",
        "bids": [{"price": "0.01", "size": "92790"}, {"price": "0.49", "size": "634.49"}],
        "asks": [{"price": "0.99", "size": "0.000001"}, {"price": "0.5", "size": "45.2"}],
        "min_order_size": "5",
        "tick_size": "0.01",
        "neg_risk": False,
        "last_trade_price": "0.490",
        "version": "v2",
    }
    assert text == json.dumps(expected, separators=(",", ":"))


@pytest.mark.req("VEN-4")
def test_everything_hashed_changes_the_hash() -> None:
    base = book_hash.book_hash(make_book(), "")
    changes: list[dict[str, object]] = [
        {"market": "0x" + "00" * 32},
        {"token": "124"},
        {"venue_ms": 1_790_766_966_314},
        {"bids": ()},
        {"asks": ()},
        {"min_size_e6": 5_000_001},
        {"tick_e4": 10},
        {"neg_risk": True},
        {"version": "v2"},
    ]
    hashes = {book_hash.book_hash(make_book(**change), "") for change in changes}
    hashes.add(book_hash.book_hash(make_book(), "0.49"))
    assert base not in hashes
    assert len(hashes) == len(changes) + 1


def test_last_trade_price_is_found_among_candidates_in_its_own_spelling() -> None:
    wanted = book_hash.book_hash(make_book(), "0.490")
    candidates = book_hash.last_trade_candidates(PriceE4(5100), PriceE4(100))
    assert candidates[0] == "0.490"
    assert book_hash.find_last_trade_price(make_book(), wanted, candidates) == "0.490"


def test_last_trade_price_is_none_when_no_candidate_fits() -> None:
    wanted = book_hash.book_hash(make_book(token="other"), "0.490")
    candidates = book_hash.last_trade_candidates(PriceE4(5100), PriceE4(100))
    assert book_hash.find_last_trade_price(make_book(), wanted, candidates) is None


def test_candidates_are_bounded_at_the_finest_tick_and_end_with_no_trade() -> None:
    candidates = book_hash.last_trade_candidates(PriceE4(5100), PriceE4(1))
    assert len(candidates) <= 2_010
    assert candidates[-1] == ""
    assert len(set(candidates)) == len(candidates)
