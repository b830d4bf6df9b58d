"""A changed API key: zero is not proven before the last order of the earlier one is over."""

import pytest

from services.execution.lifecycle import expiration_s, expires_wall_ns
from services.risk.earlier_key import EarlierKey
from services.risk.messages import KeyFound, Persist, StoredState
from shared.operator import Halted
from shared.proof import orders_over_ns
from shared.risk_schema import ANY_KEY, KeyUsed
from shared.units import NS_PER_MS, NS_PER_S, BootNs
from tests.builders.risk import API_KEY, World

OVER = BootNs(130 * NS_PER_S)


def stored(api_key: str | None) -> StoredState:
    return StoredState(used_max=1_000, reserved=2_000, api_key=api_key)


def over(key: EarlierKey) -> BootNs | None:
    return key.over_ns


def keys_written(world: World) -> list[str]:
    records = [record for write in world.of(Persist) for record in write.records]
    return [record.api_key for record in records if isinstance(record, KeyUsed)]


def test_first_start_waits_for_nothing_and_writes_its_key_down() -> None:
    key = EarlierKey(None, OVER)
    assert over(key) == 0
    assert key.found("new") == (KeyUsed("new"),)
    assert over(key) == 0
    assert key.settled(OVER) == ()


@pytest.mark.req("CP-8")
def test_first_start_of_a_data_directory_waits_where_real_money_may_be_at_work() -> None:
    """Another group of this account may have died a moment ago: nothing here knows its orders."""
    key = EarlierKey(None, OVER, real_money=True)
    assert over(key) is None
    assert key.found("new") == ()
    assert over(key) == OVER
    assert key.settled(BootNs(OVER - 1)) == ()
    assert key.settled(OVER) == (KeyUsed("new"),)


def test_start_with_the_stored_key_waits_only_until_it_knows_that() -> None:
    key = EarlierKey("same", OVER)
    assert over(key) is None
    assert key.found("same") == ()
    assert over(key) == 0
    assert key.settled(OVER) == ()


def test_change_of_the_key_is_on_disk_before_the_wait_can_end() -> None:
    key = EarlierKey("old", OVER)
    assert key.found("new") == (KeyUsed(ANY_KEY),)
    assert over(key) is None
    assert key.settled(OVER) == ()
    key.written(KeyUsed(ANY_KEY))
    assert over(key) == OVER


def test_start_that_cannot_know_the_last_key_waits() -> None:
    key = EarlierKey(ANY_KEY, OVER)
    assert key.found("new") == ()
    assert over(key) == OVER


@pytest.mark.parametrize(
    ("now", "wanted"),
    [(OVER - 1, ()), (OVER, (KeyUsed("new"),)), (OVER + 1, (KeyUsed("new"),))],
)
def test_own_key_is_written_down_once_the_wait_is_over(
    now: int, wanted: tuple[KeyUsed, ...]
) -> None:
    key = EarlierKey(ANY_KEY, OVER)
    key.found("new")
    assert key.settled(BootNs(now)) == wanted
    if wanted:
        assert key.settled(BootNs(now)) == ()


def test_key_that_was_not_found_is_not_written_down() -> None:
    assert EarlierKey(ANY_KEY, OVER).settled(OVER) == ()


@pytest.mark.parametrize("margin_ms", [0, 500, 1_000, 2_000, 5_000])
@pytest.mark.parametrize("into_second_ns", [0, 1, NS_PER_S - 1])
def test_wait_covers_the_longest_life_of_an_order(margin_ms: int, into_second_ns: int) -> None:
    wall_ns = 1_800_000_000 * NS_PER_S + into_second_ns
    dies_ns = expires_wall_ns(expiration_s(wall_ns, margin_ms))
    assert dies_ns <= orders_over_ns(BootNs(wall_ns), margin_ms * NS_PER_MS)


@pytest.mark.req("KS-8")
def test_halt_after_a_change_of_the_key_is_acknowledged_when_the_old_orders_are_over() -> None:
    world = World(stored("an earlier key"))
    over_ms = world.core._guard.authority.earlier_key._wait_until_ns / NS_PER_MS
    begun_ms = world.now.boot_ns / NS_PER_MS
    world.run(500)
    world.halt("the key was stolen")
    assert keys_written(world) == [ANY_KEY]
    world.run(8_000)
    assert world.replies == []
    assert "another API key" in world.core._guard.authority.present_fence.waits_for(
        world.now.boot_ns
    )
    world.run(over_ms - begun_ms - 8_500)
    assert world.replies == []
    assert world.status.fence != "zero"
    world.run(5_000)
    assert isinstance(world.replies[0][1], Halted)
    assert keys_written(world) == [ANY_KEY, API_KEY]


def test_change_that_is_not_on_disk_lets_nothing_be_proven() -> None:
    world = World(stored("an earlier key"))
    world.disk_answers = False
    world.run(8_000)
    fence = world.core._guard.authority.present_fence
    assert "not known yet" in fence.waits_for(BootNs(world.now.boot_ns + 10**15))
    world.finish_writes()
    assert "another API key" in fence.waits_for(world.now.boot_ns)


def test_stored_key_found_again_trades_as_soon_as_ever() -> None:
    first, again = World(), World(stored(API_KEY))
    first.trade()
    again.trade()
    assert again.ms == first.ms
    assert keys_written(again) == []


def test_nothing_is_proven_before_the_key_is_known() -> None:
    world = World(stored(API_KEY))
    world._to_risk.clear()
    world.run(8_000)
    assert world.status.fence != "zero"
    world.tell(KeyFound(API_KEY))
    world.run(8_000)
    assert world.status.fence == "zero"
