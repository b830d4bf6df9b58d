"""The simulated venue when its books are those of the real one: modes paper and replay.

All that an account can do is the same code as in simulation: keys, signatures, balances,
ticks, expiries, the taker delay, the dead-man switch, faults. What differs is who else is in the
market: nobody but the mirror of what the real venue displays.
"""

from services.simulator.answers import ok
from services.simulator.core import SimulatorCore
from services.simulator.edge import Request, Respond
from services.simulator.exchange import Exchange
from services.simulator.exchange_parts import make_money, trouble_of
from services.simulator.mirror.discovery import MirrorDiscovery
from services.simulator.mirror.exchange import MirrorCalendar, MirrorExchange
from services.simulator.mirror.follow import Follower
from services.simulator.mirror.prices import StandingPrice
from services.simulator.mirror.reads import READ_BOOKS, READ_DISCOVERY, Purpose, Reads
from services.simulator.mirror.recording import Recording
from services.simulator.mirror.replay import Player
from services.simulator.mirror.venue import MirrorVenue
from services.simulator.oracles.oracle import Oracle
from services.simulator.saved import Saved
from shared.config import Config, SimulatorSettings
from shared.effects import (
    Effect,
    HttpFailed,
    HttpReply,
    Log,
    Message,
    ReachTold,
    StreamClosed,
    StreamOpened,
    StreamText,
)
from shared.identifiers import Asset, ConditionId
from shared.units import NS_PER_MS, Instant

STATE_PATH = "/admin/mirror"
"""Not at the venue: what the mirror follows and believes."""

LOOK_EVERY_NS = 10 * NS_PER_MS
_OK = 200


class MirrorCore(SimulatorCore):
    """A venue that matches against another's books.

    Attributes:
        mirror: The markets that it follows.
    """

    exchange: MirrorExchange

    def __init__(
        self, config: Config, saved: Saved | None = None, recording: Recording | None = None
    ) -> None:
        """Build the parts.

        Args:
            config: Of mode paper, or of mode replay with a recording.
            saved: See `SimulatorCore`.
            recording: What to play instead of following the real venue.
        """
        self._has_prices = recording is not None
        super().__init__(config.simulator, config.markets.assets, config.markets.interval_s, saved)
        exchange = self.exchange
        assert isinstance(exchange.calendar, MirrorCalendar)
        self._participants.paused = True
        self.mirror = MirrorVenue(
            exchange, exchange.calendar, self.stamps, config.mirror.print_lag_ms
        )
        self._reads = Reads()
        self._failing: dict[str, str] = {}
        self._follower: Follower | None = None
        self._discovery: MirrorDiscovery | None = None
        self._player: Player | None = None
        if recording is not None:
            exchange.barred = None
            price = self._oracles.get(Asset(config.markets.assets[0]))
            self._player = Player(
                self.mirror,
                recording,
                config,
                self._streams.has_listeners,
                price if isinstance(price, StandingPrice) else None,
            )
            return
        self._follower = Follower(
            self.mirror, self._reads, config.venue.market_socket_url, config.mirror.stale_ms
        )
        self._discovery = MirrorDiscovery(
            self.mirror, exchange, self._reads, config.markets, config.mirror.geoblock_every_ms
        )

    def on_message(self, message: Message, now: Instant) -> list[Effect]:
        """Take in what our clients say, and what the real venue does."""
        match message:
            case Request(path=path) if path == STATE_PATH:
                return [self._tell_state(message)]
            case StreamOpened() | StreamText() | StreamClosed() | HttpReply() | HttpFailed():
                self._advance(now)
                self._out += self._hear(message, now)
                self._flush(now)
                return self._collect(now)
            case ReachTold():
                return []  # of the real venue's names; nobody reads the simulator's status
            case _:
                return super().on_message(message, now)

    def next_ns(self) -> int:
        """Return the monotonic time at which something is due next; `on_tick` first."""
        due = [
            self._heartbeats.next_ns(),
            self.exchange.next_ns(self._wall_offset_ns),
            self._agenda.next_ns(),
            None if self._player is None else self._player.next_ns(),
            self._looked_ns + LOOK_EVERY_NS,
        ]
        return min(at for at in due if at is not None)

    _looked_ns = 0

    def _advance(self, now: Instant) -> None:
        super()._advance(now)
        self._looked_ns = now.monotonic_ns
        if self._discovery is not None:
            self._out += self._discovery.on_tick(now)
        if self._follower is not None:
            self._out += self._follower.on_tick(now)
        if self._player is not None:
            self._out += self._player.on_tick(now)
        self._take_notes()
        self._flush(now)

    def _hear(self, message: Message, now: Instant) -> list[Effect]:
        follower = self._follower
        assert follower is not None, "a player asks nobody"
        out: list[Effect] = []
        match message:
            case StreamOpened(stream=stream) if follower.owns(stream):
                out = follower.on_opened(now)
            case StreamText(stream=stream) if follower.owns(stream):
                out = follower.on_text(message.text, message.received_ns, now)
            case StreamClosed(stream=stream) if follower.owns(stream):
                out = follower.on_closed(f"{message.code} {message.reason}", now)
            case HttpReply():
                purpose = self._reads.finish(message.request_id)
                if purpose is not None:
                    self._failing.pop(purpose.lane, None)
                    out = self._on_answer(purpose, message, now)
            case HttpFailed():
                out = self._on_failed(message)
            case _:
                pass
        self._take_notes()
        return out

    def _on_failed(self, failed: HttpFailed) -> list[Effect]:
        """Say once that a read has failed, until one of its kind is answered."""
        purpose = self._reads.finish(failed.request_id)
        if purpose is None or purpose.lane in self._failing:
            return []
        self._failing[purpose.lane] = failed.reason
        return [Log("mirror.unanswered", {"of": purpose.lane, "why": failed.reason}, "warning")]

    def _on_answer(self, purpose: Purpose, reply: HttpReply, now: Instant) -> list[Effect]:
        assert self._discovery is not None
        assert self._follower is not None
        if purpose.lane == READ_DISCOVERY:
            return self._discovery.on_market(purpose.about, reply.status, reply.body, now)
        if purpose.lane != READ_BOOKS:
            return self._discovery.on_geoblock(reply.status, reply.body, now)
        if reply.status == _OK:
            self._follower.on_book(ConditionId(purpose.about), reply.body, purpose.asked_ns)
        return []

    def _take_notes(self) -> None:
        notes, self.mirror.notes = self.mirror.notes, []
        self._out += notes

    def _make_exchange(
        self,
        settings: SimulatorSettings,
        assets: tuple[str, ...],
        known: tuple[str, ...],
        interval_s: int,
    ) -> Exchange:
        """Return an exchange that lists nothing by itself; prices, if any, stand still."""
        accounts, trades = make_money(settings)
        oracles: dict[Asset, Oracle] = {
            Asset(name): StandingPrice(
                Asset(name), settings.seed, settings.price_ms, settings.oracle_latency_ms
            )
            for name in known
            if self._has_prices
        }
        return MirrorExchange(
            MirrorCalendar(settings.seed),
            accounts,
            trades,
            oracles,
            settings.seed,
            lambda now_ns: trouble_of(self._faults, now_ns),
        )

    def _freeze(self, paused: bool) -> None:
        """Leave the participants out whatever is asked: the real venue has its own."""

    def _tell_state(self, request: Request) -> Respond:
        answer = ok(
            {
                "playing": None if self._player is None else self._player.state,
                "barred": None if self.exchange.barred is None else self.exchange.barred.text,
                "markets": [
                    {
                        "market": followed.info.condition_id,
                        "slug": followed.market.slug,
                        "state": followed.market.state,
                        "doubt": followed.book.doubt,
                    }
                    for followed in self.mirror.followed.values()
                ],
                "unanswered": self._failing,
                "losses": None if self._follower is None else self._follower.losses,
            }
        )
        return Respond(
            request.request_id, answer.status, answer.body, answer.headers, answer.content_type
        )
