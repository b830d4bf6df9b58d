"""A group whose every request to the venue passes a doorway, and that places often."""

from tests.processes.doorway import Doorway
from tests.processes.group import FREE_LOSSES, GroupUnderTest

BUSY = """
[strategy.market_making]
levels = 3
requote_e4 = 0

[limits]
shares_per_outcome_max = 300
unpaired_shares_global_max = 1000
exposure_usd_max = 10000
daily_loss_usd_max = 1000000

[timing]
clean_data_ms = 500
late_order_margin_ms = {late_order_margin_ms}
"""
"""Several orders a second, so that a moment that is chosen at random meets some; room for what is
bought in an hour of it; and a recovery that does not wait longer than the proof of zero takes."""

INTERVAL_S = 60
"""A market whose price has left the middle is not quoted: the next one begins there again."""


def guarded_group(late_order_margin_ms: int = 2_000) -> tuple[GroupUnderTest, Doorway]:
    """Return a group that is not started yet, and the doorway that its profile names."""
    group = GroupUnderTest(
        interval_s=INTERVAL_S,
        extra=BUSY.format(late_order_margin_ms=late_order_margin_ms),
        changes=FREE_LOSSES,
    )
    doorway = Doorway(group.port)
    text = group.profile.read_text(encoding="utf-8")
    direct = f'clob_url = "http://127.0.0.1:{group.port}"'
    assert direct in text, "the profile names where orders go"
    group.profile.write_text(
        text.replace(direct, f'clob_url = "http://127.0.0.1:{doorway.port}"'), encoding="utf-8"
    )
    return group, doorway
