"""Mode replay: a group on a recording, from the command to the end of its market."""

import os
from pathlib import Path

import pytest

from ops.keys import read_key
from ops.launch import account_lock_path
from ops.waiting import wait_for
from tests.processes.group import GroupUnderTest, free_port
from tests.processes.mirrored import OwnVenue

CAPTURES = Path(os.environ.get("INTERLOCK_CAPTURES", "../shared/captures")).absolute()
BTC_15M = CAPTURES / "adriancova_polymarket-bot-v2" / "market-ws-btc15m-2026-09-30-first11.jsonl"

PLACES_WITHIN_S = 60.0
ENDS_WITHIN_S = 60.0
PAUSE_MS = 15_000


@pytest.mark.req("EX-21")
@pytest.mark.skipif(not BTC_15M.is_file(), reason="no recordings of production frames")
def test_recorded_session_is_traded_on_and_ends_with_nothing_open() -> None:
    group = GroupUnderTest()
    port = free_port()
    venue = OwnVenue(port)
    try:
        ran = group.command(
            *("replay", str(BTC_15M), "--port", str(port), "--start-after-ms", str(PAUSE_MS))
        )
        assert ran.status == 0, repr(ran)
        placed = wait_for(lambda: venue.open_orders().placed or None, PLACES_WITHIN_S)
        assert placed, group.log_tails()
        assert venue.ask("GET", "/admin/mirror")["playing"] in ("standing", "playing")
        ended = wait_for(
            lambda: venue.ask("GET", "/admin/mirror")["playing"] == "ended" or None, ENDS_WITHIN_S
        )
        assert ended, group.log_tails()
        assert not venue.open_orders().open
        told = {record["state"] for record in venue.of_kind("mirror")}
        assert told <= {"proven", "doubted"}
        down = group.command("down")
        assert down.status == 0, repr(down)
    finally:
        venue.close()
        for key in group.run.glob("data-*/key.hex"):
            lock = account_lock_path(read_key(key).address, f"http://127.0.0.1:{port}")
            lock.unlink(missing_ok=True)
        group.close()
