"""The venue as one pure core: requests and frames in, answers and frames out.

Ties the parts together and owns the order of things within a turn: first what is due by
time, then what was received, then what follows from both for the streams and the log. It
reads no clock; whoever drives it says what time it is, and `next_ns` tells when to call
again.
"""

from services.simulator.admin import Admin, Drop
from services.simulator.agenda import Agenda
from services.simulator.api import Api
from services.simulator.beats import Beats
from services.simulator.cancels import Cancels
from services.simulator.chance import stream
from services.simulator.desk import Desk
from services.simulator.edge import (
    Close,
    Request,
    Respond,
    StreamClosed,
    StreamOpened,
    StreamText,
)
from services.simulator.exchange import Exchange
from services.simulator.exchange_parts import make_exchange, make_limits
from services.simulator.faults.frames import FrameFaults
from services.simulator.faults.switches import Faults
from services.simulator.heartbeat import Heartbeats
from services.simulator.hosts import Hosts
from services.simulator.journal import Journal
from services.simulator.key_requests import KeyRequests
from services.simulator.keys import Keys
from services.simulator.modes import Modes
from services.simulator.oracles.oracle import Tick
from services.simulator.oracles.recording import Recording
from services.simulator.participants.crowds import Participants
from services.simulator.perps.venue import PerpVenue
from services.simulator.price_sockets.sockets import KINDS as PRICE_KINDS
from services.simulator.price_sockets.sockets import PriceSockets
from services.simulator.reads import Reads
from services.simulator.reception import Reception
from services.simulator.restore import restore
from services.simulator.routes import private_routes, public_routes
from services.simulator.saved import Saved
from services.simulator.stamps import Stamps
from services.simulator.storm import Storm
from services.simulator.streams import Streams
from services.simulator.telling import Telling
from services.simulator.trading import Trading
from services.simulator.windows import Windows
from shared.config import SimulatorSettings
from shared.effects import Effect, Message
from shared.units import NS_PER_MS, Instant

_RESTART_CLOSE = 1012


class SimulatorCore:
    """A venue.

    Attributes:
        exchange: Its books, orders and money, for checkers that look from outside.
        stamps: Its log.
    """

    def __init__(
        self,
        settings: SimulatorSettings,
        assets: tuple[str, ...],
        interval_s: int,
        saved: Saved | None = None,
        recording: Recording | None = None,
    ) -> None:
        """Build the parts.

        Args:
            settings: Pace, delays and seed.
            assets: Underlyings, one series of markets each.
            interval_s: Length of every market.
            saved: What its journal holds, empty for a new one; None for a venue that keeps none.
            recording: Prices and markets of one asset, played instead of a walk.
        """
        seed = settings.seed
        self._faults = Faults(stream(seed, "faults"))
        self._recording = recording
        known = assets if saved is None else tuple(dict.fromkeys((*assets, *saved.assets)))
        self.exchange = self._make_exchange(settings, assets, known, interval_s)
        self._oracles = self.exchange.oracles
        self._participants = self._make_participants(settings)
        self.stamps = Stamps()
        keys = Keys(seed, settings.clock_window_s)
        beats = self._heartbeats = Heartbeats(
            seed, settings.heartbeat_silence_ms, settings.heartbeat_sweep_ms
        )
        self._saved = saved
        self.journal = None if saved is None else Journal(self.exchange, beats, seed, recording)
        self._limits = make_limits(settings)
        modes = Modes(self._faults, self._limits)
        self._beats = Beats(self.exchange, beats, modes, self.stamps, self._faults)
        self._streams = Streams(self.exchange.calendar, keys, self._faults)
        self._price_sockets = PriceSockets(self._oracles, keys, self._faults)
        self._agenda = Agenda()
        self._perps = PerpVenue(self._oracles, seed, self._faults, self._agenda)
        self._telling = Telling(
            self.exchange,
            self._streams,
            self._participants,
            self.stamps,
            self.journal,
            self._agenda,
            tick_change_books=settings.tick_change_books,
        )
        self._storm = Storm(self._faults)
        self._frame_faults = FrameFaults(self._faults, self.exchange.calendar, self._agenda)
        self._desk = Desk(self.exchange, keys, settings)
        self._hosts = Hosts(self.exchange, keys, self._desk.history, settings)
        self._telling.listeners += (self._desk.note, self._hosts.note)
        self._reception = self._make_reception(settings, self._make_api(settings, keys, modes))
        self._out: list[Effect] = []
        self._wall_offset_ns = 0
        self._start: dict[str, object] | None = {
            "seed": seed,
            "assets": assets,
            "interval_s": interval_s,
            "collateral": str(settings.collateral_usd),
            "resumed": saved is not None and saved.seed is not None,
        }

    def _make_participants(self, settings: SimulatorSettings) -> Participants:
        return Participants(self.exchange, self._oracles, settings)

    def _make_admin(self) -> Admin:
        return Admin(
            self.exchange,
            self._faults,
            self._storm,
            self._heartbeats,
            self.stamps,
            self._drop,
            self._freeze,
        )

    def _make_reception(self, settings: SimulatorSettings, api: Api) -> Reception:
        return Reception(
            api,
            self._make_admin(),
            self._faults,
            self.stamps,
            self._agenda,
            self._flush,
            self._limits,
            Windows() if settings.address_windows else None,
        )

    def _make_api(self, settings: SimulatorSettings, keys: Keys, modes: Modes) -> Api:
        exchange, stamps = self.exchange, self.stamps
        trading = Trading(
            exchange,
            modes,
            stamps,
            settings.taker_delay_ms,
            settings.seconds_delay_ms,
            self._faults,
            self._agenda,
        )
        desk = self._desk
        cancels = Cancels(exchange, modes, stamps)
        key_requests, reads = KeyRequests(keys), Reads(exchange)
        return Api(
            keys,
            (
                *public_routes(key_requests, reads),
                *desk.public(),
                *self._perps.routes(),
                *self._hosts.routes(),
            ),
            (*private_routes(key_requests, trading, cancels, self._beats, reads), *desk.private()),
            as_openapi=settings.document_form == "openapi",
        )

    def _make_exchange(
        self,
        settings: SimulatorSettings,
        assets: tuple[str, ...],
        known: tuple[str, ...],
        interval_s: int,
    ) -> Exchange:
        """Return the exchange; a venue that mirrors another has one of its own."""
        return make_exchange(settings, assets, known, interval_s, self._faults, self._recording)

    @property
    def faults(self) -> Faults:
        """Return what goes wrong."""
        return self._faults

    # --- driving --------------------------------------------------------------------

    def on_message(self, message: Message, now: Instant) -> list[Effect]:
        """Take a request or a stream's event in."""
        self._advance(now)
        match message:
            case Request():
                self._out += self._reception.receive(message, now)
            case StreamOpened():
                self._open(message, now)
            case StreamText():
                self._out += self._take_frame(message, now)
            case StreamClosed():
                self._streams.close(message.connection)
                self._price_sockets.close(message.connection)
                self._perps.sockets.close(message.connection)
                self._frame_faults.close(message.connection)
                self.stamps.add("stream_closed", now, connection=message.connection)
            case _:
                raise AssertionError(f"no message for a venue: {message!r}")
        self._flush(now)
        return self._collect(now)

    def refuse_handshake(self, request: Request, now: Instant) -> Respond | None:
        """Return the answer to a socket's handshake that is refused, None when it may open."""
        return self._reception.refuse(request, now)

    def on_tick(self, now: Instant) -> list[Effect]:
        """Do what is due."""
        self._advance(now)
        return self._collect(now)

    def next_ns(self) -> int:
        """Return the monotonic time at which something is due next; `on_tick` first."""
        calendar = self.exchange.calendar
        wall_ms = min(calendar.next_ms(), *(oracle.next_ms() for oracle in self._oracles.values()))
        due = [wall_ms * NS_PER_MS - self._wall_offset_ns]
        for at in (
            self._participants.next_ns(),
            self._heartbeats.next_ns(),
            self.exchange.next_ns(self._wall_offset_ns),
            self._agenda.next_ns(),
            self._storm.next_ns(),
        ):
            if at is not None:
                due.append(at)
        return min(due)

    def _collect(self, now: Instant) -> list[Effect]:
        out = self._frame_faults.pass_on(self._out, now)
        self._out = []
        stamps = self.stamps.collect()
        lines = [] if self.journal is None else self.journal.collect(stamps)
        return [*lines, *stamps, *out]

    # --- time -----------------------------------------------------------------------

    def _advance(self, now: Instant) -> None:
        self._wall_offset_ns = now.wall_ns - now.monotonic_ns
        if self._start is not None:
            self.stamps.add("start", now, **self._start)
            self._start = None
            self._resume(now)
            self._desk.begin(self._agenda, now)
        for oracle in self._oracles.values():
            for tick in oracle.advance(now.wall_ms):
                self._tell_later(tick, now)
                if self.journal is not None:
                    self.journal.note_tick(tick)
        self.exchange.advance(now)
        self._beats.sweep(now)
        self._flush(now)
        self._strike(now)
        while (later := self._agenda.pop_due(now.monotonic_ns)) is not None:
            self._out += later(now)
            self._flush(now)
        while self._participants.act_one(now):
            self._flush(now)

    def _resume(self, now: Instant) -> None:
        """Begin with what the life before has left."""
        if self._saved is None:
            return
        restore(self._saved, self.exchange, self._heartbeats, now)
        self._saved = None
        for market in self.exchange.calendar.trading():
            self._participants.join(market, now)

    def _flush(self, now: Instant) -> None:
        """Tell of what the exchange has done since the last call."""
        self._out += self._telling.flush(now)

    def _tell_later(self, tick: Tick, now: Instant) -> None:
        due_ns = tick.told_ms * NS_PER_MS - self._wall_offset_ns
        self._agenda.at(due_ns, lambda later: list(self._price_sockets.tell(tick, later)))

    # --- streams --------------------------------------------------------------------

    def _open(self, opened: StreamOpened, now: Instant) -> None:
        self.stamps.add("stream_opened", now, connection=opened.connection, stream=opened.kind)
        if self._faults.refuses_stream(opened.kind, now.monotonic_ns):
            self._out.append(Close(opened.connection, _RESTART_CLOSE, "restarting"))
            return
        self._frame_faults.open(opened.connection, opened.kind)
        if opened.kind in PRICE_KINDS:
            self._out += self._price_sockets.open(opened.connection, opened.kind)
        elif opened.kind == "perp":
            self._perps.sockets.open(opened.connection)
        else:
            self._streams.open(opened.connection, opened.kind)

    def _take_frame(self, said: StreamText, now: Instant) -> list[Effect]:
        """Take a client's frame in, by whoever has its socket."""
        if self._perps.sockets.has(said.connection):
            return self._perps.sockets.receive(said.connection, said.text, now)
        answered = self._price_sockets.receive(said.connection, said.text, now)
        if answered is None:
            answered = self._streams.receive(said.connection, said.text, now)
        return answered

    def _drop(self, order: Drop) -> int:
        numbers = self._streams.numbers(order.stream, order.key, order.asset)
        if not order.key and not order.asset:
            numbers += self._price_sockets.numbers(order.stream)
            numbers += self._perps.sockets.numbers() if order.stream in ("", "perp") else []
        for number in numbers:
            self._streams.close(number)
            self._price_sockets.close(number)
            self._perps.sockets.close(number)
            self._out.append(Close(number, order.code, "dropped"))
        return len(numbers)

    def _strike(self, now: Instant) -> None:
        """Throw what a storm has due, and do what a fault does at its moment."""
        entry = self._storm.blow(now.monotonic_ns)
        if entry is not None:
            self.stamps.add("fault", now, entry=entry.name, storm=True)
        dropped = self._faults.struck_by("drop_streams", now.monotonic_ns)
        if dropped is not None:
            self._drop(Drop(dropped.stream))

    def _freeze(self, paused: bool) -> None:
        self._participants.paused = paused
