"""A plain reader folds everything that the simulated venue sends at the busy rate.

Five hundred book changes a second, bursts of two thousand, trades, windows that roll: every
hash and touch is recomputed, and REST must tell the same books. The lag is that of the whole
way: the venue's stamp to the folded frame.
"""

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import requests
from websockets.sync.client import connect
from websockets.sync.connection import Connection

from bus import clock
from ops.bench.place import free_port
from shared.units import NS_PER_S
from shared.venue.gamma_wire import decode_texts
from shared.venue.market_wire import BOOK
from shared.venue.streams_wire import BookFrame, MarketFrame, UnknownFrame, decode_market_frames
from tests.builders.plain_fold import PlainFold, TokenFold
from tests.processes.group import SIM
from tests.processes.venue import VenueUnderTest

FOLD_S = float(os.environ.get("INTERLOCK_FOLD_S", "16"))
"""Ten minutes are what is promised (`make fold`); this is what a change can wait for."""

RATE = 500
BURST = 2_000
INTERVAL_S = 60
LAG_S_MAX = 5.0
"""On a machine that has other work; alone it is some milliseconds."""

REST_EVERY_S = 0.5
WAIT_S = 60.0


@pytest.fixture
def busy_venue(tmp_path: Path) -> Iterator[VenueUnderTest]:
    port = free_port()
    text = SIM.replace("18080", str(port)).replace(
        "[simulator]\n",
        f"[simulator]\nframes_per_second = {RATE}\nburst_frames_per_second = {BURST}\n"
        "burst_every_s = 8\n",
    )
    profile = tmp_path / "busy.toml"
    profile.write_text(text.replace("interval_s = 60", f"interval_s = {INTERVAL_S}"))
    venue = VenueUnderTest(profile, tmp_path, port)
    yield venue
    venue.close()


class Reader:
    """The socket, the fold, and what REST says meanwhile."""

    def __init__(self, venue: VenueUnderTest) -> None:
        self.fold = PlainFold()
        self.lags_s: list[float] = []
        self.frames = 0
        self.compared = 0
        self._venue = venue
        self._session = requests.Session()
        self._session.trust_env = False
        self._pending: list[tuple[TokenFold, int, str]] = []

    def run(self, seconds: float) -> None:
        """Follow every market that there is or will be."""
        tokens = self._listed()
        url = self._venue.url.replace("http", "ws") + "/ws/market"
        with connect(url, open_timeout=WAIT_S, ping_interval=None, max_size=2**24) as socket:
            first = {"type": "market", "assets_ids": tokens, "custom_feature_enabled": True}
            socket.send(msgspec.json.encode(first).decode())
            end = time.monotonic() + seconds
            compare_at = time.monotonic() + REST_EVERY_S
            while (now := time.monotonic()) < end:
                self._take(socket, str(socket.recv(timeout=WAIT_S)))
                if now >= compare_at:
                    compare_at = now + REST_EVERY_S
                    self._ask_rest()
            self._drain(socket)

    def _drain(self, socket: Connection) -> None:
        """Hold the venue's traders still and read until nothing more comes."""
        with self._venue.stillness():
            for _ in range(20_000):
                try:
                    self._take(socket, str(socket.recv(timeout=1.0)))
                except TimeoutError:
                    break
            self.fold.settle()
            for token in list(self.fold.tokens.values()):
                if self._rest_book(token) is not None:
                    self._check_rest(*self._pending.pop())

    def _take(self, socket: Connection, text: str) -> None:
        for frame in decode_market_frames(text):
            self.fold.take(frame)
            self.frames += 1
            if isinstance(frame, UnknownFrame):
                news = msgspec.json.decode(text)
                wanted = {"operation": "subscribe", "assets_ids": news["assets_ids"]}
                socket.send(msgspec.json.encode(wanted).decode())
            else:
                self._note_lag(frame)

    def _note_lag(self, frame: MarketFrame) -> None:
        if not isinstance(frame, BookFrame) or frame.tick_size is None:
            self.lags_s.append(clock.read().wall_ns / NS_PER_S - int(frame.timestamp) / 1000)
        if self._pending:
            waiting = []
            for token, ms, known in self._pending:
                if token.ms > ms:
                    self._check_rest(token, ms, known)
                else:
                    waiting.append((token, ms, known))
            self._pending = waiting

    def _listed(self) -> list[str]:
        page = self._session.get(f"{self._venue.url}/markets/keyset", timeout=WAIT_S).json()
        return [
            token
            for row in page["markets"]
            for token in decode_texts(row["clobTokenIds"], "clobTokenIds")
        ]

    def _ask_rest(self) -> None:
        for token in list(self.fold.tokens.values())[-6:]:
            self._rest_book(token)

    def _rest_book(self, token: TokenFold) -> str | None:
        """Ask for a book; it is compared once the socket has told later ones."""
        answer = self._session.get(
            f"{self._venue.url}/book", params={"token_id": token.token}, timeout=WAIT_S
        )
        if answer.status_code == requests.codes.not_found:
            return None
        book = BOOK.decode(answer.content)
        self._pending.append((token, int(book.timestamp), book.hash))
        return book.hash

    def _check_rest(self, token: TokenFold, ms: int, known: str) -> None:
        assert (ms, known) in token.proven, f"REST's book at {ms} was never on the socket"
        self.compared += 1

    def close(self) -> None:
        self._session.close()


def cpu_s(process_id: int) -> float:
    """Return the processor time of a process."""
    fields = Path(f"/proc/{process_id}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.req("VEN-4")
@pytest.mark.timeout(FOLD_S + 90)
def test_everything_sent_at_the_busy_rate_folds_to_the_venue_s_own_books(
    busy_venue: VenueUnderTest,
) -> None:
    reader = Reader(busy_venue)
    before_s = cpu_s(busy_venue.process.pid)
    try:
        reader.run(FOLD_S)
    finally:
        reader.close()
    spent = (cpu_s(busy_venue.process.pid) - before_s) / FOLD_S
    kinds = reader.fold.kinds
    lags = sorted(reader.lags_s)
    sys.stdout.write(
        f"{reader.frames} frames in {FOLD_S} s, {reader.fold.checks} proven states, "
        f"{reader.compared} REST books, lag median {lags[len(lags) // 2] * 1000:.1f} ms, p99 "
        f"{lags[len(lags) * 99 // 100] * 1000:.1f} ms, most {lags[-1] * 1000:.1f} ms, "
        f"{spent:.2f} cores, {kinds}\n"
    )
    assert kinds["PriceChangeFrame"] > RATE * FOLD_S
    assert kinds["LastTradeFrame"] > FOLD_S / 2
    assert kinds["BestBidAskFrame"] > 0
    assert reader.compared > FOLD_S
    assert lags[-1] < LAG_S_MAX
    for token in reader.fold.tokens.values():
        printed = reader.fold.printed.get(token.market, set())
        assert {text for text in token.trades if text} <= printed | {token.last}
