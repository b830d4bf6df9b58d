"""n of the newest m samples trip a condition; only clean time releases it."""

import pytest

from services.risk.confirmation import Confirmed
from shared.switches import AT_ONCE, SAMPLED
from shared.units import BootNs

CLEAN_NS = 1_000


def sampled(*bad: bool) -> Confirmed:
    confirmed = Confirmed(SAMPLED, CLEAN_NS)
    for number, one in enumerate(bad):
        confirmed.add(one, "bad", BootNs(number))
    return confirmed


@pytest.mark.parametrize(
    ("samples", "tripped"),
    [
        ((True, True), False),
        ((True, True, True), True),
        ((True, True, False, False, False, True), False),
        ((True, False, True, False, True), True),
        ((False,) * 5, False),
    ],
)
def test_three_of_the_newest_five_samples_trip(samples: tuple[bool, ...], tripped: bool) -> None:
    assert sampled(*samples).tripped is tripped


def test_a_fact_trips_at_its_first_sight() -> None:
    confirmed = Confirmed(AT_ONCE, CLEAN_NS)
    assert confirmed.add(True, "exited", BootNs(0))
    assert confirmed.tripped
    assert confirmed.why == "exited"


@pytest.mark.parametrize(("clean_ns", "tripped"), [(999, True), (1_000, False), (1_001, False)])
def test_clean_time_releases_at_its_limit(clean_ns: int, tripped: bool) -> None:
    confirmed = Confirmed(AT_ONCE, CLEAN_NS)
    confirmed.add(True, "bad", BootNs(0))
    confirmed.add(False, "", BootNs(10))
    confirmed.add(False, "", BootNs(10 + clean_ns))
    assert confirmed.tripped is tripped


def test_one_bad_sample_starts_the_clean_time_again() -> None:
    confirmed = Confirmed(AT_ONCE, CLEAN_NS)
    confirmed.add(True, "bad", BootNs(0))
    confirmed.add(False, "", BootNs(10))
    confirmed.add(True, "bad", BootNs(900))
    confirmed.add(False, "", BootNs(1_100))
    assert confirmed.tripped
