"""The epoch only grows, and no run takes one that an earlier run may have used."""

from services.risk.epoch import RESERVE, EpochCounter


def test_first_epoch_stands_above_everything_reserved_before() -> None:
    assert EpochCounter(used_max=3_000, reserved=4_000).take() == 3_001


def test_epoch_stands_above_what_execution_has_seen() -> None:
    epochs = EpochCounter(used_max=10, reserved=1_010)
    epochs.raise_above(500)
    assert epochs.take() == 501


def test_seeing_an_older_epoch_changes_nothing() -> None:
    epochs = EpochCounter(used_max=10, reserved=1_010)
    epochs.raise_above(3)
    assert epochs.take() == 11


def test_grant_needs_an_epoch_that_is_reserved_on_disk() -> None:
    epochs = EpochCounter(used_max=0, reserved=2)
    assert not epochs.is_durable()
    epochs.take()
    epochs.take()
    assert epochs.is_durable()
    assert not epochs.next_is_durable()
    epochs.take()
    assert not epochs.is_durable()
    epochs.reserved_up_to(3)
    assert epochs.is_durable()


def test_reservation_is_asked_for_at_half_the_reserve_and_once() -> None:
    epochs = EpochCounter(used_max=0, reserved=RESERVE)
    for _ in range(RESERVE // 2 - 1):
        epochs.take()
    assert epochs.reservation_due() is None
    epochs.take()
    assert epochs.reservation_due() == RESERVE // 2 + RESERVE
    assert epochs.reservation_due() is None
