"""What drives the core for real: its clock, its ticks, and where its effects go.

Impure. Decides nothing of the venue; a slow reader of a socket is cut off rather than
waited for. `rest.py` and `sockets.py` bring in what clients send.
"""

import asyncio
from collections.abc import Callable

import msgspec

from bus import clock
from services.simulator.core import SimulatorCore
from services.simulator.edge import Abort, Close, Persist, Push, Record, Request, Respond
from services.simulator.line_file import LineFile
from shared.effects import Effect, Message
from shared.units import NS_PER_S

TICK_S_MIN = 0.001
"""Shorter sleeps cost more than they are worth: what is due meanwhile is done together."""

TICK_S_MAX = 0.01
"""What a request makes due sooner than the core had said is done at most this late."""

QUEUE_MAX = 20_000
"""Frames that wait for one reader, ten seconds of the fastest market."""


class Cut(msgspec.Struct, frozen=True):
    """A frame of which half is sent, and nothing after it."""

    text: str


class Peer:
    """One open socket: what waits for it, and how to cut it off."""

    def __init__(self, cut: Callable[[], None]) -> None:
        self.queue: asyncio.Queue[str | Cut | Close] = asyncio.Queue(QUEUE_MAX)
        self._cut = cut

    def put(self, item: str | Cut | Close) -> None:
        """Let something wait for its turn, or cut off a reader that is too slow."""
        try:
            self.queue.put_nowait(item)
        except asyncio.QueueFull:
            self._cut()

    def cut(self) -> None:
        """Reset the connection."""
        self._cut()


class Shell:
    """The core with its clock, its pending requests, its sockets and its files."""

    def __init__(
        self, core: SimulatorCore, wire_log: LineFile | None, journal: LineFile | None = None
    ) -> None:
        """Take the core and its files; a core that keeps a journal needs one."""
        self._core = core
        self._wire_log = wire_log
        self._journal = journal
        self._pending: dict[int, asyncio.Future[Respond]] = {}
        self._aborts: dict[int, Callable[[], None]] = {}
        self._peers: dict[int, Peer] = {}
        self._count = 0
        self._is_broken = False

    def number(self) -> int:
        """Return a new number for a request or a connection."""
        self._count += 1
        return self._count

    def feed(self, message: Message) -> None:
        """Give the core a message, stamped now.

        The server would answer 500 to a failed assert and go on; `run` ends it instead.
        """
        self._is_broken = True
        self._apply(self._core.on_message(message, clock.read()))
        self._is_broken = False

    def refuse_handshake(self, request: Request) -> Respond | None:
        """Return the answer to a socket's handshake that is refused, None when it may open."""
        return self._core.refuse_handshake(request, clock.read())

    def expect(self, request_id: int, abort: Callable[[], None]) -> asyncio.Future[Respond]:
        """Return where the answer to a request will be, and keep how to reset its connection."""
        future: asyncio.Future[Respond] = asyncio.get_running_loop().create_future()
        self._pending[request_id] = future
        self._aborts[request_id] = abort
        return future

    def forget(self, request_id: int) -> None:
        """Forget a request that is answered or gone."""
        self._pending.pop(request_id, None)
        self._aborts.pop(request_id, None)

    def attach(self, connection: int, peer: Peer) -> None:
        """Take an open socket in."""
        self._peers[connection] = peer

    def detach(self, connection: int) -> None:
        """Forget a socket that is gone."""
        self._peers.pop(connection, None)

    def tick(self) -> int:
        """Let the core do what is due, once before anything is served; return the time of it."""
        now = clock.read()
        self._apply(self._core.on_tick(now))
        return now.monotonic_ns

    def clock_offset_ns(self) -> int | None:
        """Return how far the time that the venue tells is ahead of this host's; None: silence."""
        faults, now_ns = self._core.faults, clock.read().monotonic_ns
        return faults.clock_offset_ns(now_ns) if faults.tells_time(now_ns) else None

    async def run(self, should_stop: Callable[[], bool]) -> None:
        """Tick until told to stop."""
        while not should_stop():
            assert not self._is_broken, "the core failed while it took a message"
            now_ns = self.tick()
            wait_s = (self._core.next_ns() - now_ns) / NS_PER_S
            await asyncio.sleep(min(max(wait_s, TICK_S_MIN), TICK_S_MAX))

    def close(self) -> None:
        """Close the files."""
        for file in (self._wire_log, self._journal):
            if file is not None:
                file.close()

    def _apply(self, effects: list[Effect]) -> None:
        """Write all that a turn has changed, and only then tell of it."""
        self._write(effects)
        for effect in effects:
            match effect:
                case Persist() | Record():
                    continue
                case Push():
                    text = Cut(effect.text) if effect.is_cut else effect.text
                    self._to_peer(effect.connection, text)
                case Respond():
                    self._respond(effect)
                case Close():
                    self._to_peer(effect.connection, effect)
                case Abort():
                    abort = self._aborts.get(effect.request_id)
                    if abort is not None:
                        abort()
                case _:
                    raise AssertionError(f"no effect of a venue: {effect!r}")

    def _write(self, effects: list[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Persist):
                assert self._journal is not None
                if effect.whole:
                    self._journal.replace(effect.line)
                else:
                    self._journal.append((effect.line,))
        records = [effect.line for effect in effects if isinstance(effect, Record)]
        if records and self._wire_log is not None:
            self._wire_log.append(records)

    def _to_peer(self, connection: int, item: str | Cut | Close) -> None:
        peer = self._peers.get(connection)
        if peer is None:
            return
        if isinstance(item, Close) and item.code == 0:
            peer.cut()
        else:
            peer.put(item)

    def _respond(self, effect: Respond) -> None:
        future = self._pending.get(effect.request_id)
        if future is None or future.done():
            return
        future.set_result(effect)
