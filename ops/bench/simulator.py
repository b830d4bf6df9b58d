"""What the simulated venue costs: a busy second of its process, a calm one of its core.

The first counts the processor time of the real process, with a socket that is read and orders
that are really signed; the second lets virtual seconds pass in this process. The floor of both is
what no venue can do without: two books' hashes a frame, and one write of it.
"""

import hashlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
from websockets.sync.client import connect
from websockets.sync.connection import Connection

from bus.settings import SOURCE_ROOT
from ops.bench.place import WITHIN_NS, Place, place
from ops.bench.results import BenchFailed, Result, TooBusy, summarise
from ops.keys import Key, make_throwaway_key
from ops.simulation.alone import Alone
from ops.venue import Unanswered, Venue
from ops.waiting import wait_for
from shared.units import NS_PER_MS, NS_PER_S, PriceE4, SizeE6
from shared.venue.amounts import limit_amounts
from shared.venue.auth import Credentials, request_headers
from shared.venue.gamma_wire import MARKETS_PAGE, decode_texts
from shared.venue.order_hash import BUY_CODE, UnsignedOrder, exchange_domain, order_digest
from shared.venue.orders_wire import ORDER_PATH, PostOrder, to_signed_order
from shared.venue.streams_wire import MARKET_STREAM_PATH, MarketSubscription
from shared.venue.wire import encode

BUSY = "simulator"
CALM = "simulator-calm"

FRAMES_PER_S = 2_000
ORDERS_PER_S = 40
BUSY_SAMPLES = 12
CALM_SAMPLES = 60
WARM_UP = 2
REACHED = 0.8
"""A machine that is full sends fewer frames; below this part the figure would say nothing."""

CALM_FRAMES_PER_S = 20
TICK = PriceE4(100)
PRICE = PriceE4(100)
SIZE = SizeE6(5_000_000)
CANCEL_EVERY = 200
"""Own orders that rest at most."""

RECEIVE_S = 0.02
ANSWER_S = 10.0
BOOK_BYTES = 3_400
FRAME_BYTES = 860
"""Of a book forty-seven levels deep on both sides, and of one of its changes."""

CHANGES = {
    # A price that stands still leaves the lowest bid one that rests, however late the window is.
    "[simulator]\n": f"[simulator]\nframes_per_second = {FRAMES_PER_S}\nrate_limits = false\n"
    "volatility_annual = 1e-9\n",
    "interval_s = 60": "interval_s = 14_400",
}


def measure_busy() -> Result:
    """Run the process for some seconds.

    Raises:
        BenchFailed: It did not start.
        TooBusy: The machine is too busy for the rate.
    """
    with place(CHANGES) as where, venue_process(where) as process:
        driver = _Driver(where)
        try:
            spent = driver.run(process.pid)
        finally:
            driver.close()
    what = (
        f"processor time of the simulated venue's process in a second of {FRAMES_PER_S} market "
        f"frames to one reader and {ORDERS_PER_S} signed orders"
    )
    return summarise(BUSY, what, spent, _FLOOR, _floors(FRAMES_PER_S, BUSY_SAMPLES))


def measure_calm() -> Result:
    """Let virtual seconds pass in this process."""
    alone = Alone()
    alone.cost_ns(WARM_UP)
    spent = [alone.cost_ns(1) for _ in range(CALM_SAMPLES)]
    what = (
        f"processor time of the venue's core for a simulated second of {CALM_FRAMES_PER_S} "
        "changes in one market; 3.3 ms is three hundred times real time"
    )
    return summarise(CALM, what, spent, _FLOOR, _floors(CALM_FRAMES_PER_S, CALM_SAMPLES))


_FLOOR = "two books hashed and one frame written to a bare loopback socket, as often"


def _floors(frames: int, samples: int) -> list[int]:
    """Return the processor time of what every frame needs, without anything else."""
    book, frame = b"x" * BOOK_BYTES, b"x" * FRAME_BYTES
    spent: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        sender = socket.create_connection(server.getsockname())
        receiver, _ = server.accept()
    with sender, receiver:
        for _ in range(samples):
            began = time.process_time_ns()
            for _ in range(frames):
                hashlib.sha1(book, usedforsecurity=False).hexdigest()
                hashlib.sha1(book, usedforsecurity=False).hexdigest()
                sender.sendall(frame)
                receiver.recv(FRAME_BYTES)
            spent.append(time.process_time_ns() - began)
    return spent


class _Driver:
    """Reads the market socket and posts orders, by turns."""

    def __init__(self, where: Place) -> None:
        self._settings = where.settings
        self._url = where.settings.config.venue.clob_url
        self._session = requests.Session()
        self._session.trust_env = False
        self._key: Key = make_throwaway_key(where.settings.key_file)
        self._who = self._obtain()
        page = MARKETS_PAGE.decode(self._session.get(f"{self._url}/markets/keyset").content)
        running = min(page.markets, key=lambda market: market.event_start_time or "")
        self._tokens = decode_texts(running.clob_token_ids, "clobTokenIds")
        self._domain = exchange_domain(
            "v1", neg_risk=False, chain_id=self._settings.config.venue.chain_id
        )
        self._orders = 0

    def close(self) -> None:
        """Close the connection."""
        self._session.close()

    def _obtain(self) -> Credentials:
        venue = Venue(self._url)
        try:
            found = venue.obtain_key(self._key, self._settings.config.venue.chain_id)
        finally:
            venue.close()
        if isinstance(found, Unanswered):
            raise BenchFailed(f"no API key: {found.why}")
        return found

    def run(self, process_id: int) -> list[int]:
        """Return the processor time of the process in each second."""
        spent: list[int] = []
        frames = 0
        url = self._settings.config.venue.market_socket_url
        assert url.endswith(MARKET_STREAM_PATH)
        with connect(url, open_timeout=ANSWER_S, ping_interval=None) as stream:
            stream.send(encode(MarketSubscription(self._tokens)).decode())
            for second in range(WARM_UP + BUSY_SAMPLES):
                before_ns = _cpu_ns(process_id)
                seen, lasted_s = self._second(stream)
                if second >= WARM_UP:
                    spent.append(round((_cpu_ns(process_id) - before_ns) / lasted_s))
                    frames += seen
        if not frames:
            raise BenchFailed(f"no market frame in {BUSY_SAMPLES} s")
        if frames < REACHED * FRAMES_PER_S * BUSY_SAMPLES:
            raise TooBusy(f"only {frames} market frames in {BUSY_SAMPLES} s")
        return spent

    def _second(self, stream: Connection) -> tuple[int, float]:
        """Read and post for a second; return how many frames came, and how long it was."""
        began = due = time.monotonic()
        frames = 0
        while (now := time.monotonic()) < began + 1.0:
            if now >= due:
                due += 1.0 / ORDERS_PER_S
                self._post()
            try:
                stream.recv(timeout=RECEIVE_S)
                frames += 1
            except TimeoutError:
                continue
        return frames, now - began

    def _post(self) -> None:
        self._orders += 1
        if self._orders % CANCEL_EVERY == 0:
            self._send("DELETE", "/cancel-all", b"")
            return
        amounts = limit_amounts("BUY", PRICE, SIZE, TICK)
        wall_ms = time.time_ns() // NS_PER_MS
        order = UnsignedOrder(
            salt=self._orders,
            maker=self._key.address.lower(),
            signer=self._key.address.lower(),
            token_id=self._tokens[0],
            maker_amount=amounts.maker,
            taker_amount=amounts.taker,
            side_code=BUY_CODE,
            signature_type=0,
            timestamp_ms=wall_ms,
        )
        signature = self._key.sign(order_digest(order, self._domain))
        signed = to_signed_order(order, 0, signature)
        self._send("POST", ORDER_PATH, encode(PostOrder(signed, self._who.api_key, "GTC", True)))

    def _send(self, method: str, path: str, body: bytes) -> None:
        timestamp_s = time.time_ns() // NS_PER_S
        headers = request_headers(self._who, timestamp_s, method, path, body)
        answer = self._session.request(
            method, self._url + path, data=body, headers=headers, timeout=ANSWER_S
        )
        if answer.status_code != requests.codes.ok:
            raise BenchFailed(f"{method} {path}: {answer.status_code} {answer.text[:200]}")


@contextmanager
def venue_process(where: Place) -> Iterator[subprocess.Popen[bytes]]:
    """Run the simulated venue's process until it is done with."""
    with (where.directory / "simulator.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "services.simulator"],
            cwd=SOURCE_ROOT,
            env=where.environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            if not wait_for(lambda: _serves(where), WITHIN_NS / NS_PER_S):
                raise BenchFailed("the simulated venue does not serve")
            yield process
        finally:
            process.kill()
            process.wait()


def _serves(where: Place) -> bool | None:
    venue = Venue(where.settings.config.venue.clob_url)
    try:
        return None if isinstance(venue.time_s(), Unanswered) else True
    finally:
        venue.close()


def _cpu_ns(process_id: int) -> int:
    """Return the processor time of a process so far; the kernel counts in hundredths."""
    fields = Path(f"/proc/{process_id}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * NS_PER_S // os.sysconf("SC_CLK_TCK")
