"""What it takes to call an order dead, and which orders the venue is asked for."""

import pytest

from services.execution.reconciliation.account_reads import Look
from services.execution.reconciliation.paged_read import Read
from services.execution.reconciliation.reconcile import LOOK_EVERY_NS, restore_doubt
from shared.ledger_schema import IdentityRecord
from shared.units import NS_PER_S, BootNs, SizeE6, WallNs
from tests.builders.reconcile import NOW, SIZE, STRANGER, World, later, report, row


def test_live_order_that_two_reads_do_not_show_is_asked_for() -> None:
    world = World()
    restore_live(world)
    world.read(10)
    assert world.reconciler.to_look_at(later(11).boot_ns) == ()
    world.read(20)
    assert world.reconciler.to_look_at(later(21).boot_ns) == (world.order(),)
    world.read(30, report())
    assert world.reconciler.to_look_at(later(31).boot_ns) == ()


@pytest.mark.req("EX-6")
@pytest.mark.parametrize("how", ["list", "look"])
def test_order_that_a_cancel_calls_gone_is_asked_for_until_the_venue_shows_it(how: str) -> None:
    world = World()
    restore_live(world)
    assert world.reconciler.to_look_at(later(1).boot_ns) == ()
    world.order().said_gone = True
    assert world.reconciler.to_look_at(later(1).boot_ns) == (world.order(),)
    if how == "list":
        world.read(10, report())
    else:
        world.looked(10, report())
    assert not world.order().said_gone
    much_later = later(11).boot_ns + LOOK_EVERY_NS
    assert world.reconciler.to_look_at(BootNs(much_later)) == ()


def restore_live(world: World) -> None:
    world.order().live_ns = NOW.boot_ns


@pytest.mark.parametrize(("live", "sent_ms", "absent"), [(True, 0, 0), (True, 1, 1), (False, 1, 0)])
def test_read_sent_before_an_order_rested_says_nothing_of_it(
    live: bool, sent_ms: int, absent: int
) -> None:
    world = World()
    world.order().live_ns = NOW.boot_ns if live else BootNs(0)
    world.read(sent_ms)
    assert world.order().absent_reads == absent
    assert world.order().unlisted_ns == later(sent_ms).boot_ns


def test_read_that_broke_off_says_nothing() -> None:
    world = World()
    restore_live(world)
    world.reconciler.take_read(Read(later(5).boot_ns, later(6).boot_ns, None), later(6))
    assert (world.order().absent_reads, world.order().unlisted_ns) == (0, 0)


@pytest.mark.req("EX-6")
def test_order_is_dead_only_after_look_list_and_trades_past_its_deadline() -> None:
    world = World(row(state="UNKNOWN"))
    assert not world.reconciler.awaits_orders()
    assert not world.reconciler.awaits_trades(None)
    world.looked(3_001)
    assert world.reconciler.awaits_orders()
    assert world.reconciler.awaits_trades(None)
    world.bury(3_050)
    assert world.state == "UNKNOWN", "no list was read"
    world.read(3_100)
    assert not world.reconciler.awaits_orders()
    world.bury(3_001)
    assert world.state == "UNKNOWN", "the trades are no newer than the look"
    world.bury(3_200, since_wall_ns=NOW.wall_ns + 1)
    assert world.state == "UNKNOWN", "the trades begin after it"
    world.bury(3_200, since_wall_ns=NOW.wall_ns)
    assert world.state == "EXPIRED"
    assert world.order().record.reason == "not at the venue, nor in trades"


@pytest.mark.parametrize(("sent_ms", "noted"), [(2_999, False), (3_000, False), (3_001, True)])
def test_not_found_is_noted_only_after_the_deadline(sent_ms: int, noted: bool) -> None:
    world = World(row(state="UNKNOWN"))
    world.looked(sent_ms)
    assert bool(world.order().not_found_ns) is noted


@pytest.mark.parametrize(("late_s", "noted"), [(-1, False), (0, False), (1, True), (None, True)])
def test_not_found_is_noted_only_after_the_venues_own_clock_says_so(
    late_s: int | None, noted: bool
) -> None:
    world = World(row(state="UNKNOWN"))
    last_s = NOW.wall_ns // NS_PER_S + 2
    world.looked(3_001, venue_s=None if late_s is None else last_s + late_s)
    assert bool(world.order().not_found_ns) is noted


def test_adopted_order_has_no_lateness_at_the_venue() -> None:
    world = World(row(state="UNKNOWN", expiration_s=0))
    world.looked(3_001, venue_s=0)
    assert world.order().not_found_ns == later(3_001).boot_ns


def test_first_moment_of_not_being_found_counts() -> None:
    world = World(row(state="UNKNOWN"))
    world.looked(3_001)
    world.looked(4_000)
    assert world.order().not_found_ns == later(3_001).boot_ns


def test_answer_that_is_none_resolves_nothing_and_waits_a_while() -> None:
    world = World(row(state="UNKNOWN"))
    world.order().look_request = 7
    world.looked(3_001, is_known=False)
    assert (world.order().look_request, world.order().not_found_ns) == (0, 0)
    assert world.order().look_after_ns == later(3_001).boot_ns + LOOK_EVERY_NS


@pytest.mark.parametrize("how", ["list", "look", "stream"])
def test_order_that_shows_up_again_is_not_dead(how: str) -> None:
    world = World(row(state="UNKNOWN"))
    world.looked(3_001)
    world.read(3_100)
    if how == "list":
        world.read(3_200, report())
    elif how == "look":
        world.looked(3_200, report())
    else:
        world.reconciler.take_order(report(), later(3_200))
    assert world.order().not_found_ns == 0
    world.bury(3_300)
    assert world.state == "LIVE"


def test_word_of_an_end_forgets_no_doubt() -> None:
    """Only a report that it lives makes what was not found an error."""
    world = World(row(state="UNKNOWN"))
    world.looked(3_001)
    world.reconciler.take_order(report(status="NEW_WORD"), later(3_100))
    assert world.order().not_found_ns == later(3_001).boot_ns


def test_look_after_a_stranger_is_no_news() -> None:
    world = World()
    world.reconciler.take_look(Look(STRANGER, NOW.boot_ns, True), NOW)
    assert world.state == "LIVE"


def test_matched_order_is_filled_whatever_dust_is_left() -> None:
    world = World()
    world.looked(1, report(status="MATCHED", size_matched_e6=SizeE6(SIZE - 1)))
    assert (world.state, world.order().record.reason) == ("FILLED", "matched")
    other = World()
    other.looked(1, report(status="LIVE", size_matched_e6=SizeE6(SIZE - 1)))
    assert other.state == "PARTLY_FILLED"


# --- whom to ask for --------------------------------------------------------------


@pytest.mark.parametrize("state", ["INTENDED", "SUBMITTED", "UNKNOWN"])
def test_order_without_an_answer_is_asked_for(state: str) -> None:
    world = World(row(state=state))
    assert world.reconciler.to_look_at(NOW.boot_ns) == (world.order(),)


def test_order_that_rests_is_not_asked_for() -> None:
    assert World().reconciler.to_look_at(NOW.boot_ns) == ()


@pytest.mark.parametrize(
    "spoil", [{"look_request": 3}, {"post_request": 3}, {"look_after_ns": NOW.boot_ns + 1}]
)
def test_order_is_not_asked_for_twice_nor_before_its_answer(spoil: dict[str, int]) -> None:
    world = World(row(state="UNKNOWN"))
    for name, value in spoil.items():
        setattr(world.order(), name, value)
    assert world.reconciler.to_look_at(NOW.boot_ns) == ()


def test_order_is_asked_for_again_from_its_moment_on() -> None:
    world = World(row(state="UNKNOWN"))
    world.order().look_after_ns = NOW.boot_ns
    assert world.reconciler.to_look_at(NOW.boot_ns) == (world.order(),)


@pytest.mark.parametrize("identity", [None, IdentityRecord("main", "0x1", "other")])
def test_order_of_another_key_is_not_asked_for(identity: IdentityRecord | None) -> None:
    world = World(row(state="UNKNOWN"))
    world.reconciler.identity = identity
    assert world.reconciler.to_look_at(NOW.boot_ns) == ()


@pytest.mark.parametrize(("late_ns", "asked"), [(-1, 0), (0, 1), (1, 1)])
def test_order_past_its_expiry_is_asked_for(late_ns: int, asked: int) -> None:
    world = World()
    at_ns = BootNs(world.order().expires_ns + late_ns)
    assert len(world.reconciler.to_look_at(at_ns)) == asked


@pytest.mark.parametrize(
    ("doom", "looked_ns", "failed", "asked"),
    [("why", 1, 1, 1), ("", 1, 1, 0), ("why", 0, 1, 0), ("why", 1, 0, 0)],
)
def test_order_whose_cancels_bring_nothing_is_asked_for(
    doom: str, looked_ns: int, failed: int, asked: int
) -> None:
    world = World()
    order = world.order()
    order.doom, order.look_after_ns, order.cancels_failed = doom, BootNs(looked_ns), failed
    assert len(world.reconciler.to_look_at(NOW.boot_ns)) == asked


def test_trades_are_read_from_the_oldest_order_in_doubt_on() -> None:
    old = row(order_id=STRANGER, created_wall_ns=WallNs(NOW.wall_ns - 5), state="UNKNOWN")
    world = World(row(state="UNKNOWN"), old)
    assert world.reconciler.doubtful_since_ns() == NOW.wall_ns - 5
    assert World().reconciler.doubtful_since_ns() is None


@pytest.mark.parametrize("why", ["not_found", "untold"])
def test_order_that_rests_is_in_doubt_by_what_is_missing(why: str) -> None:
    world = World()
    if why == "not_found":
        world.order().not_found_ns = BootNs(1)
    else:
        world.reconciler.take_order(report(size_matched_e6=SizeE6(1)), NOW)
    assert world.reconciler.doubtful_since_ns() == NOW.wall_ns


@pytest.mark.parametrize(("read_ms", "awaits"), [(3_000, True), (3_001, True), (3_002, False)])
def test_not_found_order_awaits_trades_read_after_it(read_ms: int, awaits: bool) -> None:
    world = World(row(state="UNKNOWN"))
    world.looked(3_001)
    assert world.reconciler.awaits_trades(later(read_ms).boot_ns) is awaits


@pytest.mark.parametrize(("read_ms", "awaits"), [(2_999, True), (3_000, True), (3_001, False)])
def test_not_found_order_awaits_a_list_read_after_its_deadline(read_ms: int, awaits: bool) -> None:
    world = World(row(state="UNKNOWN"))
    world.looked(3_001)
    world.read(read_ms)
    assert world.reconciler.awaits_orders() is awaits


@pytest.mark.parametrize(
    ("state", "live"),
    [("LIVE", True), ("PARTLY_FILLED", True), ("INTENDED", False), ("SUBMITTED", False)],
)
def test_order_of_a_dead_run_is_unknown_and_may_rest_since_before(state: str, live: bool) -> None:
    world = World(row(state=state))
    restore_doubt(world.register, later(1))
    assert bool(world.order().live_ns) is live
    expected = state if live else "UNKNOWN"
    assert world.state == expected
    if not live:
        assert world.order().record.reason == "of an earlier run"
