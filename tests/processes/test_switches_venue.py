"""What the venue says of itself and of us, releases, and the levels: each really produced."""

from collections.abc import Iterator

import pytest

from ops.waiting import wait_for
from shared.facts import RiskStatus
from tests.processes.group import GroupUnderTest

SEEN_WITHIN_S = 20.0
TRADES_AGAIN_S = 60.0

GEOBLOCK = "/api/geoblock"
BLOCKED = '{"blocked":true,"ip":"203.0.113.42","country":"US","region":"NY"}'

QUICK = """
[access]
geoblock_every_ms = 500
geoblock_failures_max = 2

[degradation]
worse_after_ms = 200
better_after_ms = 1500
component_down_ms = 1000
critical_down_ms = 4000
connection_down_ms = 60000
data_down_ms = 60000
emergency_ms_max = 600000
closing_ms_max = 3000
"""


@pytest.fixture(scope="module")
def group() -> Iterator[GroupUnderTest]:
    """A group that trades, whose times are short enough to be waited for."""
    made = GroupUnderTest(extra=QUICK)
    try:
        ran = made.up()
        assert ran.status == 0, repr(ran)
        made.wait_until_trading()
        yield made
    finally:
        made.close()


def status(group: GroupUnderTest) -> RiskStatus:
    found = wait_for(lambda: group.view().risk(), SEEN_WITHIN_S)
    assert found is not None, group.log_tails()
    return found


def test_trades(group: GroupUnderTest) -> None:
    assert status(group).level == "NORMAL"
