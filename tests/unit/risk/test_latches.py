"""A latch holds until exactly its version is cleared on disk."""

import pytest

from services.risk.latches import Latches, LatchKey
from shared.operator import LATCHES_MAX, LatchName
from shared.risk_schema import LatchRow
from shared.units import WallNs

KEY: LatchKey = ("operator_halt", "account", "")
WALL = WallNs(5)


def name_of(row: LatchRow) -> LatchName:
    return LatchName(name=row.name, scope=row.scope, scope_id=row.scope_id, version=row.version)


def test_latch_holds_at_once_and_is_durable_only_once_written() -> None:
    latches = Latches((), 7)
    row = latches.set(KEY, WALL, "why")
    assert latches.holds(KEY)
    assert row.version == 8
    assert not latches.is_durable(row)
    latches.written(row)
    assert latches.is_durable(row)


@pytest.mark.req("INV-9")
def test_latches_of_the_database_hold_from_the_start() -> None:
    row = LatchRow("operator_halt", "account", "", 9, WALL, "why", "")
    latches = Latches((row,), 4)
    assert latches.holds(KEY)
    assert latches.version == 9


def test_resume_must_name_the_very_version_that_holds() -> None:
    latches = Latches((), 0)
    old = name_of(latches.set(KEY, WALL, "why"))
    new = name_of(latches.set(KEY, WALL, "again"))
    assert latches.misnamed((old,))
    assert latches.misnamed((new,)) == ()
    assert latches.misnamed((LatchName(name="x", scope="account", scope_id="", version=1),))


def test_cleared_latch_holds_until_its_clearing_is_written() -> None:
    latches = Latches((), 0)
    row = latches.set(KEY, WALL, "why")
    latches.begin_clearing((name_of(row),), 3)
    assert latches.holds(KEY)
    assert latches.cleared(2) == ()
    assert latches.cleared(3) == (row,)
    assert not latches.holds(KEY)


def test_later_halt_voids_a_resume_that_is_not_on_disk_yet() -> None:
    latches = Latches((), 0)
    row = latches.set(KEY, WALL, "why")
    latches.begin_clearing((name_of(row),), 3)
    latches.set(KEY, WALL, "again")
    assert latches.cleared(3) == ()
    assert latches.holds(KEY)


def test_write_of_an_older_version_does_not_make_the_newer_one_durable() -> None:
    latches = Latches((), 0)
    first = latches.set(KEY, WALL, "why")
    second = latches.set(KEY, WALL, "again")
    latches.written(first)
    assert not latches.is_durable(second)
    assert not latches.is_durable(first)


def test_too_many_latches_latch_the_account_instead() -> None:
    latches = Latches((), 0)
    for number in range(LATCHES_MAX):
        latches.set(("operator_halt", "market", f"m{number}"), WALL, "why")
    row = latches.set(("operator_halt", "market", "one more"), WALL, "why")
    assert (row.scope, row.scope_id) == ("account", "")
    assert latches.rows()[0] == row
