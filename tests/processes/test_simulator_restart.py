"""The simulated venue's own process is killed, again and again, while somebody trades at it."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests

from bus import clock
from ops.waiting import wait_for
from shared.venue.auth import request_headers
from shared.venue.wire import encode
from tests.architecture.tree import ROOT
from tests.builders.venue_rig import Client
from tests.processes.group import SIM, free_port
from tests.processes.venue import ANSWER_S, VenueUnderTest
from tests.processes.wire_log import WireRecord, profit_of

KILLS = 3
TAKES_PER_LIFE = 4
OFFERED_WITHIN_S = 15.0
RESOLVES_WITHIN_S = 150.0
REFUSES_WITHIN_S = 30.0
INTERVAL_S = 40


class Venue:
    """A simulator whose process may be killed, with one client that takes from its crowd."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._port = free_port()
        self.profile = directory / "profile.toml"
        text = SIM.replace("18080", str(self._port))
        text = text.replace("interval_s = 60", f"interval_s = {INTERVAL_S}")
        self.profile.write_text(text + "\nresolution_ms = 500\n", encoding="utf-8")
        self.client = Client(1)
        self._session = requests.Session()
        self._session.trust_env = False
        self.process = self.start()

    def start(self) -> VenueUnderTest:
        """Start the process, and return when it serves."""
        self.process = VenueUnderTest(self.profile, self.directory, self._port)
        return self.process

    def kill(self) -> None:
        """Kill it as the kernel would; once more does nothing."""
        if self.process.process.poll() is None:
            self.process.close()

    def ask(self, method: str, path: str, body: bytes = b"", query: str = "") -> Any:
        """Send a request of the client and return the decoded answer."""
        wall_s = clock.read().wall_ns // 10**9
        headers = request_headers(self.client.credentials, wall_s, method, path, body)
        url = self.process.url + path + query
        answer = self._session.request(method, url, data=body, headers=headers, timeout=ANSWER_S)
        assert answer.ok, answer.text
        return answer.json()

    def next_market(self) -> dict[str, Any]:
        """Return the market that opens next."""
        rows = self.process.ask("GET", "/admin/markets")
        return next(row for row in rows if row["state"] == "LISTED")

    def take(self, market: dict[str, Any], outcome: int) -> list[str] | None:
        """Buy from whoever offers, and return the ids of the trades that the reply tells.

        None while nobody offers: the crowd quotes anew after a start.
        """
        traded: Any = SimpleNamespace(tokens=market["tokens"])
        post = self.client.order(traded, outcome=outcome, price=9_000, size=5, version="v1")
        trades = self.ask("POST", "/order", encode(post)).get("tradeIDs")
        self.ask("DELETE", "/cancel-all")
        return list(trades) if trades else None

    def trades(self) -> dict[str, Any]:
        """Return the client's trades by id."""
        return {row["id"]: row for row in self.ask("GET", "/data/trades")["data"]}

    def account(self) -> dict[str, Any]:
        """Return the client's account."""
        query = f"/admin/account?address={self.client.address}"
        found: dict[str, Any] = self.process.ask("GET", query)
        return found

    def wire_log(self) -> list[WireRecord]:
        """Return the records of all lives."""
        text = (self.directory / "venue" / "wire.jsonl").read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def venue() -> Iterator[Venue]:
    with tempfile.TemporaryDirectory(prefix="il", dir="/tmp") as directory:
        venue = Venue(Path(directory))
        try:
            yield venue
        finally:
            venue.kill()


def test_killed_venue_has_lost_no_fill_and_pays_what_it_owes(venue: Venue) -> None:
    market = venue.next_market()
    told: dict[str, None] = {}
    for _ in range(KILLS):
        for count in range(TAKES_PER_LIFE):
            taken = wait_for(partial(venue.take, market, count % 2), OFFERED_WITHIN_S)
            assert taken, "nobody offers"
            told.update(dict.fromkeys(taken))
        venue.kill()
        venue.start()
        assert told.keys() <= venue.trades().keys()
    assert len(told) >= KILLS * TAKES_PER_LIFE
    account = venue.account()
    assert account["tokens"].keys() <= set(market["tokens"])
    venue.kill()
    venue.start()

    def resolved() -> bool | None:
        rows = venue.ask("GET", "/markets/keyset", query=f"?condition_ids={market['market']}")
        closed = venue.ask(
            "GET", "/markets/keyset", query=f"?condition_ids={market['market']}&closed=true"
        )
        # Open first, then closed: one that resolves between the two is in both, never in none.
        assert rows["markets"] or closed["markets"]
        return True if closed["markets"] else None

    assert wait_for(resolved, RESOLVES_WITHIN_S)
    account = venue.account()
    assert account["tokens"] == {}
    assert {row["status"] for row in venue.trades().values()} == {"CONFIRMED"}
    profit = profit_of(venue.wire_log(), venue.client.address)
    assert Decimal(account["collateral"]) - Decimal(account["deposited"]) == profit
    assert profit != 0


def test_damaged_journal_ends_the_start_with_its_reason(venue: Venue) -> None:
    venue.kill()
    path = venue.directory / "venue" / "venue.jsonl"
    text = path.read_bytes()
    path.write_bytes(text[:40] + b"!" + text[41:])
    ran = subprocess.run(
        [sys.executable, "-m", "services.simulator"],
        env=os.environ
        | {
            "INTERLOCK_CONFIG": str(venue.profile),
            "INTERLOCK_RUN": str(path.parent),
            "INTERLOCK_DATA": str(path.parent),
        },
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=REFUSES_WITHIN_S,
        check=False,
    )
    assert ran.returncode == 2
    assert "venue.jsonl: line 1 " in ran.stdout
