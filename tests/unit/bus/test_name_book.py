"""Whom a name is asked of, and which addresses are in use, at each limit."""

import pytest

from bus.connection import Address
from bus.name_book import (
    ADDRESSES_MAX,
    FAILURE_CHARS_MAX,
    RETRY_NS,
    Answer,
    NameBook,
    NameRules,
    Source,
)
from shared.config import Config, NameSettings, parse
from shared.units import NS_PER_MS, NS_PER_S, BootNs
from tests.builders.feeds import at
from tests.builders.risk_parts import PROFILE

RULES = NameRules(servers=(("127.0.0.1", 53),))
ALONE = NameRules()


def ns(milliseconds: float) -> BootNs:
    return at(milliseconds).boot_ns


def answer(source: Source, *places: str, took_ms: int = 10) -> Answer:
    found = tuple(Address(2, (place, 443)) for place in places)
    return Answer(source, found, "" if found else f"{source} failed", took_ms * NS_PER_MS)


@pytest.mark.req("NET-4")
def test_system_is_asked_first_and_the_servers_only_when_it_fails() -> None:
    book = NameBook("venue", RULES)
    assert book.due(ns(0)) == ("system",)
    assert book.due(ns(1)) == ()
    book.take(answer("system"), ns(2))
    assert book.due(ns(2)) == ("fallback",)
    assert book.due(ns(3)) == ()
    book.take(answer("fallback", "a"), ns(4))
    assert book.failure == ""
    assert book.next_address() == Address(2, ("a", 443))


@pytest.mark.req("NET-4")
@pytest.mark.parametrize(("waited_ms", "asked"), [(1_999, ()), (2_000, ("fallback",))])
def test_servers_are_asked_when_the_system_says_nothing_in_time(
    waited_ms: int, asked: tuple[str, ...]
) -> None:
    book = NameBook("venue", RULES)
    book.due(ns(0))
    assert book.due(ns(waited_ms)) == asked


@pytest.mark.req("NET-4")
def test_addresses_known_last_stay_in_use_and_their_age_is_told() -> None:
    book = NameBook("venue", RULES)
    book.due(ns(0))
    book.take(answer("system", "a", "b"), ns(0))
    assert book.due(ns(59_999)) == ()
    assert book.due(ns(60_000)) == ("system",)
    book.take(answer("system"), ns(60_001))
    assert book.due(ns(60_001)) == ("fallback",)
    book.take(answer("fallback"), ns(60_002))
    reach = book.reach(at(60_002))
    assert reach.failure == "system failed; fallback failed"
    assert (reach.source, reach.addresses, reach.resolved_ns) == ("system", 2, at(0).monotonic_ns)
    assert book.next_address() is not None


@pytest.mark.req("NET-4")
def test_failed_round_is_repeated_after_a_pause_for_ever() -> None:
    book = NameBook("venue", ALONE)
    now = 0.0
    for _ in range(3):
        assert book.due(ns(now)) == ("system",)
        book.take(answer("system"), ns(now))
        assert book.failure == "system failed"
        assert book.due(ns(now + RETRY_NS / NS_PER_MS - 1)) == ()
        now += RETRY_NS / NS_PER_MS
    assert book.next_address() is None


@pytest.mark.req("NET-4")
def test_system_that_hangs_is_a_failure_and_is_not_asked_twice() -> None:
    book = NameBook("venue", ALONE)
    book.due(ns(0))
    assert book.due(ns(2_000)) == ()
    assert "does not answer" in book.failure
    assert book.due(ns(4_000)) == ()
    assert "still does not" in book.failure
    book.take(answer("system", "a"), ns(9_000))
    assert book.failure == ""


def test_answer_of_the_system_that_comes_late_goes_before_that_of_a_server() -> None:
    for first, second in (("system", "fallback"), ("fallback", "system")):
        book = NameBook("venue", RULES)
        book.due(ns(0))
        book.due(ns(2_000))
        for source in (first, second):
            assert source in ("system", "fallback")
            book.take(answer("system" if source == "system" else "fallback", source), ns(2_001))
        assert book.reach(at(2_001)).source == "system"
        assert book.next_address() == Address(2, ("system", 443))


def test_addresses_take_turns_and_are_bounded() -> None:
    book = NameBook("venue", ALONE)
    book.due(ns(0))
    book.take(answer("system", *(str(number) for number in range(20))), ns(0))
    tried = [found for _ in range(ADDRESSES_MAX) if (found := book.next_address()) is not None]
    assert [one.socket_address[0] for one in tried] == [str(one) for one in range(ADDRESSES_MAX)]


def test_same_addresses_in_another_order_do_not_begin_anew() -> None:
    book = NameBook("venue", ALONE)
    book.due(ns(0))
    book.take(answer("system", "a", "b"), ns(0))
    book.next_address()
    version = book.version
    book.due(ns(60_000))
    book.take(answer("system", "b", "a"), ns(60_000))
    assert book.next_address() == Address(2, ("b", 443))
    assert book.version == version


@pytest.mark.req("NET-4")
def test_how_long_look_ups_take_is_told_smoothed_and_at_worst() -> None:
    book = NameBook("venue", ALONE)
    now = 0
    for took_ms in (80, 80, 800):
        book.due(ns(now))
        book.take(answer("system", "a", took_ms=took_ms), ns(now))
        now += 60_000
    reach = book.reach(at(now))
    assert (reach.lookup_ms, reach.lookup_ms_max) == (170, 800)


def test_failure_is_told_in_a_bounded_text() -> None:
    book = NameBook("venue", ALONE)
    book.due(ns(0))
    book.take(Answer("system", (), "x" * 10_000, 1), ns(0))
    assert len(book.failure) == FAILURE_CHARS_MAX


def test_rules_are_the_profiles() -> None:
    settings = NameSettings(servers=("1.1.1.1", "[2606:4700:4700::1111]:5353"), system_ms=500)
    rules = NameRules.of(settings)
    assert rules.servers == (("1.1.1.1", 53), ("2606:4700:4700::1111", 5353))
    assert rules.system_ns_max == NS_PER_S // 2


@pytest.mark.parametrize(
    "server", ["dns.example", "1.1.1.1:0", "1.1.1.1:x", "1.1.1", "[::1]:99999"]
)
def test_server_that_is_no_address_is_a_finding(server: str) -> None:
    found = parse(f'{PROFILE}\n[names]\nservers = ["{server}"]\n')
    assert not isinstance(found, Config)
    assert [one.where for one in found] == ["names.servers"]
