"""The model of the venue's buckets: cautious, corrected by what the venue says."""

import pytest

from services.execution.budgets.venue_rates import CANCEL_RESERVE, TIER_NS_MAX, VenueRates
from services.simulator.limits import RateLimits
from shared.units import NS_PER_MS, NS_PER_S, BootNs
from shared.venue.rate_tiers import STANDARD, TIERS

START = BootNs(50 * NS_PER_S)
SIGNER = "0x1"


def headers(remaining: int | None = None, tier: str = "") -> dict[str, str]:
    found = {} if remaining is None else {"poly-ratelimit-remaining": str(remaining)}
    return {**found, **({"poly-ratelimit-tier": tier} if tier else {})}


def later(milliseconds: int) -> BootNs:
    return BootNs(START + milliseconds * NS_PER_MS)


@pytest.mark.req("EX-24")
def test_nobody_having_told_the_tier_the_lowest_counts() -> None:
    rates = VenueRates()
    assert rates.cancels_left(START) == STANDARD.cancel_burst
    assert rates.posts_left(START) == STANDARD.order_burst
    assert rates.exposed_max(START) == STANDARD.cancel_burst - CANCEL_RESERVE


@pytest.mark.req("EX-24")
def test_spent_cancels_lower_how_much_may_be_out_and_time_brings_it_back() -> None:
    rates = VenueRates()
    rates.canceling(1, 90, START)
    assert rates.exposed_max(START) == 10
    rates.canceling(2, 90, START)
    assert rates.exposed_max(START) == 0
    assert rates.cancels_left(START) == -60, "a cancel is never refused here"
    assert rates.cancels_left(later(1_000)) == 20
    assert rates.cancels_left(later(10_000)) == STANDARD.cancel_burst


def test_tier_that_an_answer_names_counts_from_there_on() -> None:
    rates = VenueRates()
    rates.canceling(1, 1, START)
    rates.cancel_answered(1, 1, 200, headers(599, "Silver"), START)
    assert rates.tier == TIERS["silver"]
    assert rates.cancels_left(START) == 599
    assert rates.posts_left(later(1_000)) == 60 + 200


def test_tier_that_is_not_known_is_the_lowest() -> None:
    rates = VenueRates()
    rates.cancel_answered(1, 1, 200, headers(599, "Silver"), START)
    rates.cancel_answered(2, 1, 200, headers(599, "Obsidian"), START)
    assert rates.tier == STANDARD
    assert rates.stranger == "Obsidian"


def test_tier_that_nobody_repeats_is_doubted_after_a_while() -> None:
    rates = VenueRates()
    rates.canceling(1, 1, START)
    rates.cancel_answered(1, 1, 200, headers(599, "Silver"), START)
    assert rates.cancels_left(BootNs(START + TIER_NS_MAX)) == 600
    assert rates.cancels_left(BootNs(START + TIER_NS_MAX + 1)) == STANDARD.cancel_burst


def test_what_is_under_way_is_taken_off_what_the_venue_says() -> None:
    rates = VenueRates()
    rates.canceling(1, 10, START)
    rates.canceling(2, 30, START)
    rates.cancel_answered(1, 10, 200, headers(100), START)
    assert rates.cancels_left(START) == 70
    rates.cancel_answered(2, 30, 200, headers(75), START)
    assert rates.cancels_left(START) == 75, "nothing newer is under way: the venue is right"


def test_answer_that_a_newer_request_has_overtaken_raises_nothing() -> None:
    rates = VenueRates()
    rates.canceling(1, 10, START)
    rates.canceling(2, 30, START)
    rates.cancel_failed(2, sent=True, now_ns=START)
    rates.cancel_answered(1, 10, 200, headers(110), START)
    assert rates.cancels_left(START) == 80


def test_lost_request_may_still_arrive_for_a_while() -> None:
    rates = VenueRates()
    rates.canceling(1, 30, START)
    rates.cancel_failed(1, sent=True, now_ns=START)
    rates.canceling(2, 10, START)
    rates.cancel_answered(2, 10, 200, headers(110), START)
    assert rates.cancels_left(START) == 80


def test_none_left_may_be_far_below_none() -> None:
    """The venue tells no number below zero, and a cancel-all is debited afterwards."""
    rates = VenueRates()
    rates.canceling(1, 200, START)
    rates.cancel_answered(1, 200, 200, headers(0), START)
    assert rates.cancels_left(START) == -80


def test_cancel_all_costs_what_it_took_out_and_one() -> None:
    rates = VenueRates()
    rates.canceling(1, 81, START)
    assert rates.cancels_left(START) == 39
    rates.cancel_answered(1, 1 + 50, 200, headers(), START)
    assert rates.cancels_left(START) == 69
    assert rates.cancels_spent == 51


def test_refused_batch_costs_nothing_and_says_that_little_is_left() -> None:
    rates = VenueRates()
    rates.posted(1, 15, START)
    rates.post_answered(1, 429, headers(), START)
    assert rates.posts_left(START) == 0
    rates.posted(2, 15, START)
    rates.post_answered(2, 429, headers(9), START)
    assert rates.posts_left(START) == 9


def test_request_that_never_left_costs_nothing_and_one_in_doubt_all() -> None:
    rates = VenueRates()
    rates.canceling(1, 10, START)
    rates.cancel_failed(1, sent=False, now_ns=START)
    assert rates.cancels_left(START) == 120
    rates.canceling(2, 10, START)
    rates.cancel_failed(2, sent=True, now_ns=START)
    assert rates.cancels_left(START) == 110


@pytest.mark.req("EX-24", "EX-13")
def test_model_is_never_above_the_venue_that_it_models() -> None:
    """Against the simulated venue's own buckets, with answers in order, late, and lost."""
    venue, rates = RateLimits(), VenueRates()
    bucket = venue.cancels(SIGNER, START)
    waiting: list[tuple[int, int, dict[str, str]]] = []
    for turn in range(400):
        now = later(turn * 37)
        cost = 1 + turn * 7 % 23
        rates.canceling(turn, cost, now)
        status = 429 if venue.take(bucket, SIGNER, cost, now) else 200
        told = venue.headers(SIGNER, now, is_cancel=True)
        waiting.append((turn, status, {name.lower(): text for name, text in told.items()}))
        assert rates.cancels_left(now) <= bucket.left(now)
        if turn % 5 == 0:
            lost, *_ = waiting.pop()
            rates.cancel_failed(lost, sent=True, now_ns=now)
        while len(waiting) > turn % 4:
            answered, said, spoken = waiting.pop(0)
            price = 1 + answered * 7 % 23
            rates.cancel_answered(answered, price, said, spoken, now)
            assert rates.cancels_left(now) <= bucket.left(now)
