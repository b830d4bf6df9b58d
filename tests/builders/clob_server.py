"""The simulator behind its real servers, in a thread of its own, and who trades there.

Nobody but the test trades by default, so that every fill is one that the test has asked for.
"""

import http.client
import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import msgspec
from coincurve import PrivateKey
from py_clob_client_v2.client import ClobClient
from py_clob_client_v2.clob_types import (
    MarketOrderArgs,
    OrderArgs,
    PartialCreateOrderOptions,
)
from py_clob_client_v2.exceptions import PolyApiException

from services.simulator.core import SimulatorCore
from services.simulator.line_file import LineFile
from services.simulator.shell import Shell
from shared.config import SimulatorSettings
from shared.facts import Side
from shared.venue.wallets import maker_address
from tests.builders.venue_rig import address_of
from tests.builders.venue_thread import VenueThread

WAIT_S = 60.0
CHAIN_ID = 137
INTERVAL_S = 14_400
"""Long windows, so that none rolls in a test."""


class ListedMarket(msgspec.Struct, frozen=True):
    """A market as the venue tells of it: condition, tokens, and which exchange settles it."""

    condition: str
    tokens: tuple[str, str]
    slug: str
    version: str
    neg_risk: bool

    @property
    def protocol(self) -> str:
        """Return the kind: v1, neg_risk or v2."""
        return "neg_risk" if self.neg_risk else self.version


class Served(Protocol):
    """A simulator that answers somewhere, in this process or in another."""

    @property
    def url(self) -> str:
        """Return where."""


class Server(VenueThread):
    """A simulator whose other traders stand still, unless told otherwise."""

    def __init__(self, wire_log: Path, *, is_quiet: bool = True, **settings: Any) -> None:
        fast: dict[str, Any] = {"mined_ms": 0, "confirmed_ms": 0, "taker_delay_ms": 0}
        calm: dict[str, Any] = {"rate_limits": False, "protocol": "mixed"}
        chosen = SimulatorSettings(**(fast | calm | settings))
        core = SimulatorCore(chosen, ("btc",), INTERVAL_S)
        core._freeze(is_quiet)
        super().__init__(lambda: Shell(core, LineFile(wire_log)))
        self._numbers = itertools.count(1)

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, Any]:
        """Ask without the official client: for the admin, and for what that cannot ask."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT_S)
        connection.request(method, path, None if body is None else json.dumps(body), headers or {})
        response = connection.getresponse()
        text = response.read()
        connection.close()
        return response.status, json.loads(text)

    def admin(self, switch: str, /, **body: object) -> Any:
        """Throw a switch of the simulator."""
        status, answer = self.ask("POST", f"/admin/{switch}", body)
        assert status == 200, answer
        return answer

    def markets(self) -> list[ListedMarket]:
        """Return the markets that trade, oldest first."""
        _, rows = self.ask("GET", "/admin/markets")
        found: list[ListedMarket] = []
        for row in rows:
            _, compact = self.ask("GET", f"/clob-markets/{row['market']}")
            found.append(
                ListedMarket(
                    row["market"],
                    tuple(row["tokens"]),
                    row["slug"],
                    compact["v"],
                    compact["nr"],
                )
            )
        return found

    def market(self, protocol: str = "v1") -> ListedMarket:
        """Return a market of one kind."""
        return next(market for market in self.markets() if market.protocol == protocol)

    def trader(self, kind: int = 0, number: int | None = None) -> "Trader":
        """Return somebody with a new key, or with a certain one, whose wallet is of a kind."""
        return Trader(self, kind, 1_000 + next(self._numbers) if number is None else number)


@contextmanager
def serving(directory: Path, **settings: Any) -> Iterator[Server]:
    """Run a server."""
    server = Server(directory / "wire.jsonl", **settings)
    server.start()
    try:
        yield server
    finally:
        server.stop()


class Trader:
    """Somebody who trades by the official client."""

    def __init__(self, server: Served, kind: int, number: int) -> None:
        key = PrivateKey(number.to_bytes(32, "big"))
        self.address = address_of(key)
        self.wallet = maker_address(kind, self.address)
        funder = None if kind == 0 else self.wallet
        self.client = ClobClient(
            server.url, CHAIN_ID, key=key.to_hex(), signature_type=kind, funder=funder
        )
        self.client.set_api_creds(self.client.create_or_derive_api_key())
        self.api_key: str = self.client.creds.api_key

    def sign(
        self,
        market: ListedMarket,
        side: Side,
        price: float,
        size: float,
        outcome: int = 0,
        **members: Any,
    ) -> Any:
        """Return a signed limit order; the client asks the venue for tick and neg risk."""
        token = market.tokens[outcome]
        asset = {"position_id": token} if market.version == "v2" else {"token_id": token}
        return self.client.create_order(
            OrderArgs(price=price, size=size, side=side, **asset, **members)
        )

    def post(
        self, *terms: Any, order_type: str = "GTC", post_only: bool = False, **more: Any
    ) -> Any:
        """Sign a limit order and post it."""
        order = self.sign(*terms, **more)
        return self.client.post_order(order, order_type, post_only)

    def rest(self, *terms: Any, **more: Any) -> str:
        """Post an order that must rest, and return its id."""
        reply = self.post(*terms, **more)
        assert (reply["success"], reply["status"]) == (True, "live"), reply
        return str(reply["orderID"])

    def take(
        self,
        market: ListedMarket,
        side: Side,
        amount: float,
        price: float,
        outcome: int = 0,
        order_type: str = "FOK",
    ) -> Any:
        """Post a market order: dollars for a BUY, shares for a SELL."""
        token = market.tokens[outcome]
        asset = {"position_id": token} if market.version == "v2" else {"token_id": token}
        args = MarketOrderArgs(
            amount=amount, side=side, price=price, order_type=order_type, **asset
        )
        order = self.client.create_market_order(args, PartialCreateOrderOptions())
        return self.client.post_order(order, order_type)


def refusal(call: Callable[..., Any], *arguments: Any, **more: Any) -> tuple[int, str]:
    """Return status and text with which the venue refuses a call."""
    try:
        answer = call(*arguments, **more)
    except PolyApiException as error:
        body = error.error_msg
        return error.status_code, body["error"] if isinstance(body, dict) else str(body)
    raise AssertionError(f"not refused: {answer!r}")


def eventually(is_so: Callable[[], bool]) -> None:
    """Ask until something is so."""
    end, pause = time.monotonic() + WAIT_S, threading.Event()
    while not is_so():
        assert time.monotonic() < end, "waited in vain"
        pause.wait(0.02)
