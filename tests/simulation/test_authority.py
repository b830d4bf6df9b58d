"""The checkers of risk's authority find what they are for, and nothing where nothing is wrong."""

import pytest

from ops.simulation.authority import LEASE_MARGIN_NS, GrantChecker, LatchChecker, Latched
from ops.simulation.checkers import Findings, Intent
from shared.control import Lease, Ping
from shared.facts import RiskStatus, SwitchStatus
from shared.identifiers import Incarnation, OrderHash
from shared.units import NS_PER_MS, BootNs, Instant, MonotonicNs, WallNs

ME = Incarnation(7)
ORDER = OrderHash("0x01")
HALT = Latched("operator_halt", "account", "", 4)
CLOSING = Latched("operator_flatten", "account", "", 5)
ASSET = Latched("operator_halt", "asset", "btc", 6)
LEASE_NS = 400 * NS_PER_MS


class World:
    """Risk's database, ledger and venue."""

    def __init__(self, *stored: Latched) -> None:
        self.found = Findings(lambda: 0)
        self.stored = stored
        self.open: list[OrderHash] = []
        self.rows: dict[OrderHash, Intent] = {}

    @property
    def rules(self) -> list[str]:
        return [violation.rule for violation in self.found.violations]

    def latches(self) -> tuple[Latched, ...]:
        return self.stored

    def open_ids(self) -> list[OrderHash]:
        return self.open

    def filled_e6(self, order_id: OrderHash) -> int | None:
        return None

    def intent(self, order_id: OrderHash) -> Intent | None:
        return self.rows.get(order_id)

    def exposed(self, intent: str) -> list[Intent]:
        return []


def at(boot_ns: int = 0) -> Instant:
    return Instant(BootNs(boot_ns), MonotonicNs(0), WallNs(0))


def status(*latches: Latched, state: str = "HALTED", fence: str = "blocked") -> RiskStatus:
    switches = tuple(
        SwitchStatus(one.name, one.scope, one.scope_id, "latch", one.version, 0, "", "")
        for one in latches
    )
    return RiskStatus(state, (), 1, fence, "", None, switches, (), 1)


def checker(world: World) -> LatchChecker:
    """Return a checker that has seen what is on disk."""
    made = LatchChecker(world.found, world, world, LEASE_NS)
    made.told(status(*world.stored), at())
    return made


@pytest.mark.req("INV-9")
def test_latch_that_is_held_and_halts_is_right() -> None:
    world = World(HALT, ASSET)
    checker(world).told(status(HALT, ASSET), at(NS_PER_MS))
    assert world.rules == []


@pytest.mark.req("INV-9")
@pytest.mark.parametrize("told", [status(ASSET), status(HALT, ASSET, state="ACTIVE"), status(HALT)])
def test_latch_that_is_not_held_or_does_not_halt_is_found(told: RiskStatus) -> None:
    world = World(HALT, ASSET)
    checker(world).told(told, at(NS_PER_MS))
    assert world.rules == ["INV-9"]


@pytest.mark.req("KS-6")
@pytest.mark.parametrize(
    ("state", "expected"), [("HALTED", []), ("REDUCING", []), ("ACTIVE", ["KS-6"])]
)
def test_latch_under_which_positions_are_closed_opens_none(state: str, expected: list[str]) -> None:
    world = World(CLOSING)
    checker(world).told(status(CLOSING, state=state), at(NS_PER_MS))
    assert world.rules == expected


@pytest.mark.req("INV-9")
def test_latch_that_nobody_cleared_is_missed_on_disk() -> None:
    world = World(HALT)
    latches = checker(world)
    world.stored = ()
    latches.told(status(HALT), at(NS_PER_MS))
    assert world.rules == ["INV-9"]


def test_latch_that_was_set_again_replaces_its_older_version() -> None:
    world = World(HALT)
    latches = checker(world)
    world.stored = (Latched(HALT.name, HALT.scope, HALT.scope_id, 9),)
    latches.told(status(*world.stored), at(NS_PER_MS))
    assert world.rules == []


def test_operator_may_clear_and_a_refusal_keeps_it() -> None:
    world = World(HALT)
    latches = checker(world)
    latches.asked((HALT,))
    latches.told(status(state="ACTIVE"), at(NS_PER_MS))
    assert world.rules == []
    latches.refused((HALT,))
    latches.told(status(state="ACTIVE"), at(NS_PER_MS))
    assert set(world.rules) == {"INV-9"}


@pytest.mark.req("INV-3")
@pytest.mark.parametrize(
    ("latch", "late_ns", "expected"),
    [
        (HALT, 0, []),
        (HALT, LEASE_NS + LEASE_MARGIN_NS, []),
        (HALT, LEASE_NS + LEASE_MARGIN_NS + 1, ["KS"]),
        (CLOSING, 10 * LEASE_NS, []),
        (ASSET, 10 * LEASE_NS, []),
    ],
)
def test_order_that_leaves_under_a_latched_halt_is_found(
    latch: Latched, late_ns: int, expected: list[str]
) -> None:
    world = World(latch)
    checker(world).posted(ORDER, at(late_ns))
    assert world.rules == expected


def test_order_that_is_live_after_a_proof_under_a_latch_is_found() -> None:
    world = World(HALT)
    latches = checker(world)
    world.open = [ORDER]
    latches.judge_venue()
    assert world.rules == []
    latches.told(status(HALT, fence="zero"), at())
    latches.judge_venue()
    assert world.rules == ["S2"]


def ping(epoch: int = 5, state: str = "ACTIVE") -> Ping:
    lease = Lease(ME, BootNs(0), 400, epoch, state)  # type: ignore[arg-type]
    return Ping(Incarnation(1), 1, BootNs(0), epoch, 0, "", "ACTIVE", (), (), 0, lease)


@pytest.mark.req("RV-1")
def test_trading_that_begins_with_an_open_order_is_found() -> None:
    world = World()
    grants = GrantChecker(world.found, world, world)
    grants.ordered(ME, ping())
    world.open = [ORDER]
    grants.ordered(ME, ping())
    assert world.rules == []
    grants.ordered(ME, ping(6))
    assert world.rules == ["RV-1"]


@pytest.mark.req("RV-1")
@pytest.mark.parametrize(
    ("state", "fence", "expected"),
    [
        ("ACTIVE", "zero", []),
        ("ACTIVE", "quiet", ["RV-1"]),
        ("REDUCING", "fencing", []),
        ("PAUSED", "fencing", []),
    ],
)
def test_trading_before_its_fence_is_proven_is_found(
    state: str, fence: str, expected: list[str]
) -> None:
    world = World()
    GrantChecker(world.found, world, world).told(status(state=state, fence=fence))
    assert world.rules == expected


@pytest.mark.req("KS-6")
@pytest.mark.parametrize(
    ("state", "reduce_only", "expected"),
    [("ACTIVE", 0, []), ("REDUCING", 1, []), ("REDUCING", 0, ["KS-6"])],
)
def test_order_that_opens_where_only_closing_may_be_is_found(
    state: str, reduce_only: int, expected: list[str]
) -> None:
    world = World()
    world.rows[ORDER] = Intent(ORDER, "i", "INTENDED", 5, "quote", reduce_only=reduce_only)
    grants = GrantChecker(world.found, world, world)
    grants.ordered(ME, ping(state=state))
    grants.posted(ME, ORDER, 5)
    assert world.rules == expected
