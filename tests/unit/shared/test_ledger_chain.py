"""The chain shows every change of an event; the state shows every change of a row."""

import pytest

from shared.ledger_chain import CHAIN_START, event_hash, pack_state, row_digest, unpack_state

STATE = bytes(range(32))


@pytest.mark.parametrize(
    "changed",
    [
        (b"\x01" * 32, 1, 5, b"x", 3, STATE),
        (CHAIN_START, 2, 5, b"x", 3, STATE),
        (CHAIN_START, 1, 6, b"x", 3, STATE),
        (CHAIN_START, 1, 5, b"y", 3, STATE),
        (CHAIN_START, 1, 5, b"x", 4, STATE),
        (CHAIN_START, 1, 5, b"x", 3, bytes(32)),
        (CHAIN_START, 1, 5, b"x", 2, b""),
    ],
)
def test_any_change_of_an_event_changes_its_hash(
    changed: tuple[bytes, int, int, bytes, int, bytes],
) -> None:
    assert event_hash(*changed) != event_hash(CHAIN_START, 1, 5, b"x", 3, STATE)


def test_event_of_version_2_has_the_hash_that_it_was_written_with() -> None:
    written = "8e8b2def"
    assert event_hash(CHAIN_START, 1, 5, b"x", 2, b"").hex().startswith(written)


def test_event_of_version_2_has_no_state() -> None:
    assert event_hash(CHAIN_START, 1, 5, b"x", 2, STATE) == b""


def test_state_forgets_what_was_taken_out_in_any_order() -> None:
    one, other = row_digest("fills", ("a", 1)), row_digest("fills", ("b", 2))
    assert pack_state(one + other - one) == pack_state(other)
    assert pack_state(other + one) == pack_state(one + other)
    assert pack_state(-one + one) == bytes(32)
    assert unpack_state(pack_state(one)) == one


def test_rows_of_two_tables_are_not_mistaken_for_one_another() -> None:
    assert row_digest("orders", ("a", 1)) != row_digest("fills", ("a", 1))
