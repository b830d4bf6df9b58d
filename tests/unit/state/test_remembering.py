"""What was remembered is no proof: live hashes and prices decide what of it counts."""

import msgspec
import pytest

from services.state.core import MEMORY_EVERY_NS, StateCore
from services.state.memory import (
    KeepMemory,
    Memory,
    NotRemembered,
    RecordedFact,
    Remembered,
)
from shared.effects import Effect, Log
from shared.facts import PricesDoubted
from shared.identifiers import Asset, Incarnation
from shared.topics import FEED_PRICE
from shared.units import NS_PER_MS, MonotonicNs, WallMs
from shared.venue.book_memory import REMEMBERED
from tests.builders.books import fact
from tests.builders.feeds import WALL_START_MS, at, config, of_type
from tests.builders.state_rig import Rig, ready
from tests.unit.state.test_prices import tick

DIED_MS = 40_000
ROSE_MS = 41_000


def lived() -> tuple[Rig, Memory]:
    """Return a rig whose state has seen forty seconds of prices, and what it remembers."""
    rig = ready()
    for second in range(40):
        price = tick(second * 1_000, 100_000 + second * second % 7)
        rig.hear("feed.price", price, at(second * 1_000))
    rig.status(at(DIED_MS))
    return rig, rig.core.remember(at(DIED_MS))


def risen(memory: Memory, *facts: RecordedFact) -> tuple[Rig, list[Effect]]:
    """Return a rig whose state has just started with a memory."""
    rig = Rig()
    effects = rig.core.on_message(Remembered(memory, facts, "there"), at(ROSE_MS))
    return rig, effects


def live(rig: Rig, milliseconds: int, dollars: float = 100_000) -> list[Effect]:
    """Let a live tick come now."""
    price = tick(milliseconds, dollars)
    stamped = type(price)(
        price.asset,
        price.source,
        price.value_e18,
        price.venue_ms,
        MonotonicNs(at(milliseconds).monotonic_ns),
    )
    return rig.hear("feed.price", stamped, at(milliseconds))


def events(effects: list[Effect]) -> list[str]:
    return [log.event for log in of_type(effects, Log)]


@pytest.mark.req("CP-2")
def test_memory_alone_makes_nothing_valid_and_shows_no_price() -> None:
    _, memory = lived()
    rig, effects = risen(memory)
    assert events(effects) == ["state.remembered"]
    view = rig.view(at(ROSE_MS))
    assert (view.valid, view.books, view.proven_ns) == (False, None, None)
    assert (view.reference, view.spot, view.strike_e18, view.volatility_e9) == (None,) * 4
    assert rig.core.health()[0] == "starting"
    rig.list_market(at(ROSE_MS))
    rig.status(at(ROSE_MS))
    assert rig.view(at(ROSE_MS)).reason == f"Up: {REMEMBERED}"
    assert rig.core.health()[0] == "ready"


@pytest.mark.req("CP-2")
def test_remembered_book_is_proven_by_the_hash_of_the_next_live_change() -> None:
    before, memory = lived()
    rig, _ = risen(memory)
    rig.up, rig.down = before.up, before.down
    rig.list_market(at(ROSE_MS))
    rig.status(at(ROSE_MS))
    for book in (rig.up, rig.down):
        change = book.frame(book.step("BUY", 4_700, 5))
        rig.hear("feed.market", change, at(ROSE_MS + 10))
    assert rig.view(at(ROSE_MS + 20)).valid


@pytest.mark.req("CP-2")
def test_recorded_frame_with_a_right_hash_is_folded_and_proves_nothing() -> None:
    before, memory = lived()
    recorded = [
        RecordedFact(
            "feed_market",
            Incarnation(1),
            "feed.market",
            90,
            1,
            msgspec.msgpack.encode(book.frame(book.step("BUY", 4_700, 5))),
        )
        for book in (before.up, before.down)
    ]
    rig, _ = risen(memory, *recorded)
    rig.up, rig.down = before.up, before.down
    rig.list_market(at(ROSE_MS))
    rig.status(at(ROSE_MS))
    rig.core.on_tick(at(ROSE_MS + 10))
    assert rig.view(at(ROSE_MS + 10)).reason == f"Up: {REMEMBERED}"
    for book in (rig.up, rig.down):
        rig.hear("feed.market", book.frame(book.step("BUY", 4_600, 3)), at(ROSE_MS + 20))
    assert rig.view(at(ROSE_MS + 20)).valid
    heard = {(one.topic, one.sequence) for one in rig.core.remember(at(ROSE_MS + 5)).heard}
    assert ("feed.market", 1) in heard, "the newest live one"


@pytest.mark.req("CP-2")
def test_missed_change_shows_in_the_hash_and_the_book_waits_for_a_snapshot() -> None:
    before, memory = lived()
    rig, _ = risen(memory)
    rig.up, rig.down = before.up, before.down
    rig.list_market(at(ROSE_MS))
    rig.up.step("BUY", 4_600, 9)  # nobody heard this one
    change = rig.up.frame(rig.up.step("BUY", 4_700, 5))
    for late_ms in range(0, 500, 50):
        rig.status(at(ROSE_MS + late_ms))
        if not late_ms:
            rig.hear("feed.market", change, at(ROSE_MS))
        rig.core.on_tick(at(ROSE_MS + late_ms))
    assert rig.view(at(ROSE_MS + 500)).reason == "Up: hash disagrees"
    rig.dump(at(ROSE_MS + 500))
    assert rig.view(at(ROSE_MS + 500)).valid


@pytest.mark.req("CP-2")
def test_prices_are_believed_once_a_live_one_agrees_and_are_the_twins() -> None:
    before, memory = lived()
    rig, _ = risen(memory)
    rig.list_market(at(ROSE_MS))
    assert "state.prices_remembered" in events(live(rig, ROSE_MS + 10))
    live(before, ROSE_MS + 10)
    view, twin = rig.view(at(ROSE_MS + 10)), before.view(at(ROSE_MS + 10))
    assert view.volatility_e9 == twin.volatility_e9 is not None
    assert view.strike_e18 == twin.strike_e18 is not None
    assert (view.reference, view.spot) == (twin.reference, twin.spot)


@pytest.mark.req("NET-3")
@pytest.mark.parametrize(
    ("dollars", "is_believed"), [(104_900, True), (106_000, False), (95_100, True), (94_000, False)]
)
def test_price_that_has_jumped_over_five_percent_discards_the_memory(
    dollars: float, *, is_believed: bool
) -> None:
    _, memory = lived()
    rig, _ = risen(memory)
    rig.list_market(at(ROSE_MS))
    told = events(live(rig, ROSE_MS + 10, dollars))
    assert told == ["state.prices_remembered" if is_believed else "state.prices_not_remembered"]
    view = rig.view(at(ROSE_MS + 10))
    assert (view.strike_e18 is not None) == is_believed
    assert view.reference is not None, "the live price itself is shown"


def test_older_tick_of_a_feeds_snapshot_proves_no_price() -> None:
    _, memory = lived()
    rig, _ = risen(memory)
    rig.list_market(at(ROSE_MS))
    rig.hear("feed.price", tick(39_500, 100_000), at(ROSE_MS))
    assert rig.view(at(ROSE_MS)).strike_e18 is None


def test_doubted_prices_are_forgotten_in_the_memory_too() -> None:
    _, memory = lived()
    rig, _ = risen(memory)
    rig.list_market(at(ROSE_MS))
    doubted = PricesDoubted(Asset("btc"), 1, WallMs(WALL_START_MS - 1), "test")
    rig.core.on_message(fact(FEED_PRICE, "risk.doubted", doubted, at(ROSE_MS)), at(ROSE_MS))
    live(rig, ROSE_MS + 10)
    assert rig.view(at(ROSE_MS + 10)).strike_e18 is None


def test_unreadable_recorded_fact_is_told_and_the_rest_counts() -> None:
    _, memory = lived()
    broken = RecordedFact("feed_price", Incarnation(1), "feed.price", 9, 1, b"\xc1")
    foreign = RecordedFact("feed_price", Incarnation(1), "feed.none", 9, 1, b"\xc1")
    _, effects = risen(memory, broken, foreign)
    assert events(effects) == ["state.remembered", *["state.memory_refused"] * 2]


def test_refusal_is_told_with_its_file() -> None:
    (log,) = StateCore(config()).on_message(NotRemembered(("x.ils: checksum",)), at(0))
    assert isinstance(log, Log)
    assert log.fields == {"problem": "x.ils: checksum"}


def test_memory_is_kept_every_few_seconds_and_at_the_end() -> None:
    core = StateCore(config())
    kept = [step for step in range(0, 10_000, 100) if of_type(core.on_tick(at(step)), KeepMemory)]
    assert kept == [MEMORY_EVERY_NS // NS_PER_MS * number for number in (1, 2, 3)]
