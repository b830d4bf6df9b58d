"""What the headers of an answer say of the venue's buckets."""

import pytest

from shared.venue.rate_tiers import STANDARD, TIERS, RateNote, read_rate


@pytest.mark.req("EX-13")
def test_headers_tell_tokens_and_tier() -> None:
    headers = {"poly-ratelimit-remaining": "57", "poly-ratelimit-tier": "Silver"}
    assert read_rate(headers) == RateNote(57, TIERS["silver"])


@pytest.mark.parametrize("text", ["", "-3", "1e3", "5.0", "١٢", "9999999", "many"])
def test_number_of_tokens_that_is_none_says_nothing(text: str) -> None:
    assert read_rate({"poly-ratelimit-remaining": text}).remaining is None


def test_tier_that_is_not_known_is_told_as_such() -> None:
    found = read_rate({"poly-ratelimit-tier": "Obsidian"})
    assert (found.tier, found.stranger) == (None, "Obsidian")


def test_answer_without_headers_says_nothing() -> None:
    assert read_rate({}) == RateNote()


def test_nobody_has_less_than_the_standard_tier() -> None:
    assert min(TIERS.values(), key=lambda tier: tier.cancel_burst) == STANDARD
    assert min(TIERS.values(), key=lambda tier: tier.order_rate_per_s) == STANDARD
