"""What `status` and `pnl` say of the day's losses."""

import msgspec
import pytest

from ops.cli.status_view import losses_line
from shared.facts import LossStatus

GOOD = LossStatus(
    capital_usd=500,
    realised_e6=-12_000_000,
    unrealised_e6=None,
    told_realised_e6=-12_500_000,
    told_unrealised_e6=300_000,
    lost_e6=12_500_000,
    daily_limit_e6=50_000_000,
    daily_percent=25,
    quote_limit_e6=45_000_000,
    session_lost_e6=13_000_000,
    session_limit_e6=50_000_000,
    in_row=2,
    agrees=True,
)


@pytest.mark.req("CB-2")
def test_both_counts_and_the_share_of_the_limit_are_shown() -> None:
    words = losses_line(GOOD).plain
    assert "realised -12.50" in words
    assert "-12.00 by the venue's stream" in words
    assert "lost 12.50 of 50.00 USD (25 %) at a capital of 500 USD" in words
    assert "unknown" in words, "an unrealised sum that nobody knows is no zero"
    assert "differ" not in words


def test_counts_that_differ_are_said_to() -> None:
    words = losses_line(msgspec.structs.replace(GOOD, agrees=False)).plain
    assert "the two counts differ" in words


def test_risk_that_does_not_count_is_unknown_and_no_zero() -> None:
    assert "unknown" in losses_line(None).plain
