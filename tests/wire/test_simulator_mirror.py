"""One simulator stands for the real venue, another mirrors it over real sockets.

Nothing is shared but the sockets: what the mirror shows is compared with what the venue
answers by REST, while other traders stand still.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from coincurve import PrivateKey
from py_clob_client_v2.client import ClobClient
from py_clob_client_v2.clob_types import OrderArgs, OrderType, PartialCreateOrderOptions
from py_clob_client_v2.exceptions import PolyApiException

from ops.venue import Venue
from services.simulator.core import SimulatorCore
from services.simulator.line_file import LineFile
from services.simulator.mirror.core import MirrorCore
from services.simulator.mirror.shell import MirrorShell, Upstream
from services.simulator.shell import Shell
from shared.config import Config, SimulatorSettings, parse
from shared.venue.gamma_wire import Geoblock
from tests.architecture.tree import ROOT
from tests.builders.venue_thread import VenueThread

WAIT_S = 60.0
KEY = PrivateKey(b"\x22" * 32).to_hex()
INTERVAL_S = 14_400
PAPER = (ROOT / "ops" / "paper.toml").read_text(encoding="utf-8")


class Server(VenueThread):
    """A simulator that serves already, and one client that asks it things."""

    def __init__(self, make: Callable[[], Shell]) -> None:
        super().__init__(make)
        self._session = requests.Session()
        self.start()

    def ask(self, method: str, path: str, body: object = None) -> Any:
        answer = self._session.request(method, self.url + path, json=body, timeout=WAIT_S)
        assert answer.ok, answer.text
        return answer.json()

    def levels(self, token: str) -> tuple[list[Any], list[Any]]:
        book = self.ask("GET", f"/book?token_id={token}")
        return book["bids"], book["asks"]

    def stop(self) -> None:
        super().stop()
        self._session.close()


def mirror_config(port: int, interval_s: int = INTERVAL_S) -> Config:
    text = PAPER
    for scheme in ("https", "wss"):
        plain = scheme.removesuffix("s")
        for host in ("clob", "gamma-api", "ws-subscriptions-clob", "ws-live-v2"):
            text = text.replace(f"{scheme}://{host}.polymarket.com", f"{plain}://127.0.0.1:{port}")
    text = text.replace("https://polymarket.com", f"http://127.0.0.1:{port}")
    text = text.replace("interval_s = 300", f"interval_s = {interval_s}\ncutoff_ms = 1000")
    config = parse(text + "taker_delay_ms = 20\nmined_ms = 0\n")
    assert isinstance(config, Config), config
    return config


def make_venue(path: Path, interval_s: int) -> Server:
    settings = SimulatorSettings(frames_per_second=100, takers_per_second=5.0, resolution_ms=1_000)
    return Server(lambda: Shell(SimulatorCore(settings, ("btc",), interval_s), LineFile(path)))


def make_mirror(path: Path, config: Config) -> Server:
    def make() -> Shell:
        core = MirrorCore(config)
        return MirrorShell(core, LineFile(path), None, Upstream(config.venue), None)

    return Server(make)


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    path = tmp_path_factory.mktemp("venue") / "wire.jsonl"
    server = make_venue(path, INTERVAL_S)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def mirror(venue: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    path = tmp_path_factory.mktemp("mirror") / "wire.jsonl"
    server = make_mirror(path, mirror_config(venue.port))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def client(mirror: Server) -> ClobClient:
    return client_of(mirror)


def client_of(mirror: Server) -> ClobClient:
    client = ClobClient(f"http://127.0.0.1:{mirror.port}", 137, key=KEY)
    client.set_api_creds(client.create_api_key())
    return client


def eventually(condition: Callable[[], bool]) -> bool:
    """Ask again and again, for a bounded time; both sides are real processes' loops."""
    until = time.monotonic() + WAIT_S
    while time.monotonic() < until:
        if condition():
            return True
        threading.Event().wait(0.05)
    return False


def doubts(mirror: Server) -> dict[str, str]:
    return {row["slug"]: row["doubt"] for row in mirror.ask("GET", "/admin/mirror")["markets"]}


def proven(mirror: Server) -> bool:
    found = doubts(mirror)
    return bool(found) and not any(found.values())


def running(venue: Server) -> dict[str, Any]:
    rows = venue.ask("GET", "/admin/markets")
    return next(row for row in rows if row["state"] == "OPEN")


def buy(client: ClobClient, token: str, price: float, size: float) -> Any:
    order = client.create_order(
        OrderArgs(token_id=token, price=price, size=size, side="BUY"),
        PartialCreateOrderOptions(tick_size="0.01", neg_risk=False),
    )
    return client.post_order(order, OrderType.GTC)


@pytest.mark.req("EX-21", "MR-1")
def test_books_of_the_mirror_agree_level_by_level(venue: Server, mirror: Server) -> None:
    assert eventually(lambda: proven(mirror)), doubts(mirror)
    market = running(venue)
    for _ in range(3):
        venue.ask("POST", "/admin/participants", {"paused": True})
        for token in market["tokens"]:
            assert eventually(lambda token=token: venue.levels(token) == mirror.levels(token))  # type: ignore[misc]
        assert min(map(len, venue.levels(market["tokens"][0]))) >= 2
        venue.ask("POST", "/admin/participants", {"paused": False})
        before = venue.levels(market["tokens"][0])
        assert eventually(lambda: venue.levels(market["tokens"][0]) != before)  # noqa: B023
    assert proven(mirror), "books are proven by hash at a hundred changes a second"


def test_doctor_can_ask_whether_we_may_trade(venue: Server) -> None:
    asked = Venue(f"http://127.0.0.1:{venue.port}")
    try:
        found = asked.geoblock()
        assert isinstance(found, Geoblock)
        assert not found.blocked
    finally:
        asked.close()


@pytest.mark.req("EX-21")
def test_signed_order_takes_what_the_venue_displays(
    venue: Server, mirror: Server, client: ClobClient
) -> None:
    assert eventually(lambda: proven(mirror))
    market = running(venue)
    token = market["tokens"][0]
    venue.ask("POST", "/admin/participants", {"paused": True})
    try:
        assert eventually(lambda: venue.levels(token) == mirror.levels(token))
        best = venue.levels(token)[1][-1]
        reply = buy(client, token, float(best["price"]), 5)
        assert reply["status"] == "matched"
        assert float(reply["takingAmount"]) == 5
        assert float(reply["makingAmount"]) == pytest.approx(5 * float(best["price"]))
        left = mirror.levels(token)[1]
        assert float(left[-1]["size"]) == pytest.approx(float(best["size"]) - 5)
        assert venue.levels(token)[1][-1] == best, "the venue has heard of nothing"
    finally:
        venue.ask("POST", "/admin/participants", {"paused": False})


@pytest.mark.req("EX-21")
def test_resting_order_is_filled_by_real_trades(
    venue: Server, mirror: Server, client: ClobClient
) -> None:
    assert eventually(lambda: proven(mirror))
    token = running(venue)["tokens"][0]
    bids = mirror.levels(token)[0]
    order = buy(client, token, float(bids[-1]["price"]), 5)
    assert order["status"] in ("live", "matched")

    def is_filled() -> bool:
        return float(client.get_order(order["orderID"])["size_matched"]) > 0

    assert eventually(is_filled)


@pytest.mark.req("EX-21")
def test_stalled_stream_empties_the_book_and_bars_orders(
    venue: Server, mirror: Server, client: ClobClient
) -> None:
    assert eventually(lambda: proven(mirror))
    token = running(venue)["tokens"][0]
    venue.ask("POST", "/admin/faults", {"kind": "silence", "stream": "market"})
    assert eventually(lambda: doubts(mirror)[running(venue)["slug"]] == "the stream is silent")
    bids, asks = mirror.levels(token)
    assert len(bids) + len(asks) <= 1, "what is left is our own"
    with pytest.raises(PolyApiException, match="not yet ready"):
        buy(client, token, 0.5, 5)
    venue.ask("DELETE", "/admin/faults")
    assert eventually(lambda: proven(mirror)), json.dumps(doubts(mirror))


@pytest.mark.req("EX-21")
def test_lost_frames_and_connections_are_noticed(venue: Server, mirror: Server) -> None:
    assert eventually(lambda: proven(mirror))
    losses = mirror.ask("GET", "/admin/mirror")["losses"]
    venue.ask("POST", "/admin/drop", {"stream": "market"})
    assert eventually(lambda: mirror.ask("GET", "/admin/mirror")["losses"] > losses)
    assert eventually(lambda: proven(mirror))
    fault = {"kind": "lose_frames", "stream": "market", "probability": 0.5}
    venue.ask("POST", "/admin/faults", fault)
    assert eventually(lambda: "hash disagrees" in doubts(mirror).values())
    venue.ask("DELETE", "/admin/faults")
    assert eventually(lambda: proven(mirror))


@pytest.mark.req("EX-21", "MR-1")
def test_markets_roll_and_pay_as_the_venue_says(tmp_path: Path) -> None:
    venue = make_venue(tmp_path / "venue.jsonl", 10)
    mirror = make_mirror(tmp_path / "mirror.jsonl", mirror_config(venue.port, 10))
    try:
        client = client_of(mirror)
        assert eventually(lambda: proven(mirror))
        assert eventually(lambda: is_young(venue) and can_buy(venue, mirror))
        market = running(venue)
        price = best_ask(mirror, market["tokens"][0])
        assert price is not None
        buy(client, market["tokens"][0], price, 5)
        buy(client, market["tokens"][0], 0.01, 5)
        assert eventually(lambda: winners(venue).get(market["slug"]) is not None)
        won = winners(venue)[market["slug"]]
        assert eventually(lambda: winners(mirror).get(market["slug"]) == won)
        rows = mirror.ask("GET", "/admin/log?since=0&limit=5000")["records"]
        paid = [(row["size"], row["payout"]) for row in rows if row["kind"] == "payout"]
        assert paid, "what was bought is paid out"
        assert all(payout == (size if won == 0 else "0") for size, payout in paid)
        assert not any(orders for orders in mirror.ask("GET", "/admin/state")["open"].values())
        assert eventually(lambda: proven(mirror)), "the next market is followed"
    finally:
        mirror.stop()
        venue.stop()


def winners(server: Server) -> dict[str, int | None]:
    return {row["slug"]: row["winner"] for row in server.ask("GET", "/admin/markets")}


def is_young(venue: Server) -> bool:
    """Tell whether the running market does not end within the next steps of a test."""
    left_ms = running(venue)["end_ms"] - venue.ask("GET", "/admin/state")["wall_ns"] // 10**6
    return bool(left_ms > 5_000)


def can_buy(venue: Server, mirror: Server) -> bool:
    """Tell whether five shares are offered at one price of a proven book."""
    return proven(mirror) and best_ask(mirror, running(venue)["tokens"][0]) is not None


def best_ask(server: Server, token: str) -> float | None:
    asks = server.levels(token)[1]
    return float(asks[-1]["price"]) if asks and float(asks[-1]["size"]) >= 5 else None
