"""The simulator behind its real servers, in a thread of its own."""

import dataclasses
import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from polymarket._internal.environment import (
    PRODUCTION_CONFIG,
    create_environment,
)
from polymarket.environments import Environment

from bus import clock
from services.simulator.core import SimulatorCore
from services.simulator.hosts import DATA_PREFIX, GAMMA_PREFIX, RELAYER_PREFIX
from services.simulator.markets import Market
from services.simulator.shell import Shell
from shared.config import SimulatorSettings
from shared.units import NS_PER_S
from shared.venue.wire import encode
from tests.builders.venue_thread import VenueThread

WAIT_S = 60.0

ANY_ASK = 0.95
ANY_BID = 0.05
"""Bounds of a taker who only wants to trade: the price that a client has just read may be gone."""


class SimulatorServer(VenueThread):
    """A simulator of long markets, so that none rolls in a test, unless told otherwise."""

    def __init__(self, interval_s: int = 14_400, **settings: Any) -> None:
        quick: dict[str, Any] = {
            "mined_ms": 20,
            "confirmed_ms": 20,
            "taker_delay_ms": 0,
            "indexer_lag_ms": 0,
            # Too little to move a tick: what a client has read still holds when it acts on it.
            "volatility_annual": 1e-9,
        }
        self.core = SimulatorCore(SimulatorSettings(**(quick | settings)), ("btc",), interval_s)
        super().__init__(lambda: Shell(self.core, None))

    @property
    def market(self) -> Market:
        """The running market."""
        return next(market for market in self.core.exchange.calendar if market.state == "OPEN")

    @property
    def now_s(self) -> int:
        """The server's clock, in unix seconds."""
        return clock.read().wall_ns // NS_PER_S

    def fault(self, *, off: bool = False, **terms: Any) -> None:
        """Switch a fault on, or all off."""
        self._admin("DELETE" if off else "POST", "/admin/faults", b"" if off else encode(terms))

    def drop(self, *, stream: str, code: int) -> None:
        """End the open sockets of a kind with a close code."""
        self._admin("POST", "/admin/drop", encode({"stream": stream, "code": code}))

    def admin(self, path: str, body: object) -> None:
        """Ask for something that the venue's staff would do."""
        self._admin("POST", path, encode(body))

    def _admin(self, method: str, path: str, body: bytes) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT_S)
        connection.request(method, path, body)
        response = connection.getresponse()
        told = response.read()
        connection.close()
        assert response.status == 200, told

    def environment(self) -> Environment:
        """Return what points the official unified client at this simulator."""
        config = dataclasses.replace(
            PRODUCTION_CONFIG,
            clob_url=self.url,
            clob_market_ws_url=self.socket_url("/ws/market"),
            clob_user_ws_url=self.socket_url("/ws/user"),
            gamma_url=self.url + GAMMA_PREFIX,
            data_url=self.url + DATA_PREFIX,
            relayer_url=self.url + RELAYER_PREFIX,
            realtime_ws_url=self.socket_url("/ws"),
            rtds_ws_url=self.socket_url("/rtds"),
            rpc_url=self.url + "/rpc",
            relayer_poll_frequency_ms=20,
        )
        return create_environment(name="simulator", config=config)


@contextmanager
def serving(interval_s: int = 14_400, **settings: Any) -> Iterator[SimulatorServer]:
    """Serve a simulator for the length of a block."""
    server = SimulatorServer(interval_s, **settings)
    server.start()
    try:
        yield server
    finally:
        server.stop()
