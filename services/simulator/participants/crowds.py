"""Other makers and takers, so that there is a market to trade in.

Decides who of them acts when. Makers follow the fair value, which follows the moving
reference price; takers hit what they find, some of them because it is mispriced. They never
pay fees, never run out of money, and know the price before the oracle tells it.
"""

from itertools import count

from services.simulator.chance import stream
from services.simulator.exchange import Exchange
from services.simulator.markets import Market
from services.simulator.oracles.oracle import Oracle, fair_up
from services.simulator.participants.crowd import MAKERS, TAKERS, Crowd
from services.simulator.participants.makers import Making, make_makers
from services.simulator.participants.takers import Taking
from services.simulator.ranges import RANGES
from shared.config import SimulatorSettings
from shared.identifiers import Asset
from shared.units import NS_PER_MS, NS_PER_S, PRICE_ONE_E4, Instant

_FAIR_EVERY_NS = 100 * NS_PER_MS
_QUIET_FACTOR = 10
_BEHIND_NS_MAX = NS_PER_S


class Participants:
    """All crowds, and when each acts next."""

    def __init__(
        self, exchange: Exchange, oracles: dict[Asset, Oracle], settings: SimulatorSettings
    ) -> None:
        """Set the pace.

        Args:
            exchange: Where they trade.
            oracles: What they see at once.
            settings: Pace, depth, bursts and seed.
        """
        self._exchange = exchange
        self._oracles = oracles
        self._seed = settings.seed
        self._calm_ns = NS_PER_S // settings.frames_per_second
        burst = settings.burst_frames_per_second
        self._burst_ns = NS_PER_S // burst if burst else 0
        self._burst_every_ns = settings.burst_every_s * NS_PER_S
        self._burst_lasts_ns = settings.burst_ms * NS_PER_MS
        takers = settings.takers_per_second
        self._taker_ns = round(NS_PER_S / takers) if takers > 0 else 0
        self._making = Making(
            exchange, levels=settings.levels, half_spread=settings.half_spread_ticks
        )
        self._taking = Taking(exchange)
        self._crowds: dict[str, Crowd] = {}
        self._numbers = count(1)
        self.paused = False
        for address in (MAKERS, TAKERS):
            exchange.accounts.open_participant(address)

    def join(self, market: Market, now: Instant) -> None:
        """Begin to trade a market."""
        key = market.condition_id
        if key in self._crowds:
            return
        chance = stream(self._seed, "crowd", market.slug)
        at = now.monotonic_ns
        self._crowds[key] = Crowd(
            market=market,
            chance=chance,
            numbers=self._numbers,
            makers=make_makers(PRICE_ONE_E4 // 2),
            next_maker_ns=at,
            next_taker_ns=at + chance.wait_ns(self._taker_ns) if self._taker_ns else 0,
        )

    def leave(self, market: Market) -> None:
        """Forget a market that has closed."""
        self._crowds.pop(market.condition_id, None)

    def fair_e4(self, market: Market) -> int | None:
        """Return what they hold the first outcome for, 1e-4 USD; None where they do not trade."""
        crowd = self._crowds.get(market.condition_id)
        return None if crowd is None else crowd.fair_e4

    def next_ns(self) -> int | None:
        """Return when somebody acts next."""
        if self.paused or not self._crowds:
            return None
        return min(self._due(crowd) for crowd in self._crowds.values())

    def act_one(self, now: Instant) -> bool:
        """Let the crowd whose turn is oldest act; return False when none is due."""
        if self.paused or not self._crowds:
            return False
        crowd = min(self._crowds.values(), key=self._due)
        due_ns = self._due(crowd)
        if due_ns > now.monotonic_ns:
            return False
        if now.monotonic_ns >= crowd.fair_at_ns:
            self._refresh_fair(crowd, now)
        if crowd.hit_ns is not None and crowd.hit_ns <= due_ns:
            self._taking.take_stale(crowd, now)
        elif self._takes(crowd) and crowd.next_taker_ns <= due_ns:
            crowd.next_taker_ns = self._later(
                crowd.next_taker_ns, crowd.chance.wait_ns(self._taker_ns), now
            )
            self._taking.take_any(crowd, now)
        else:
            pause_ns = self._pause_ns(crowd)
            crowd.next_maker_ns = self._later(crowd.next_maker_ns, pause_ns, now)
            if crowd.is_seeded:
                self._making.act(crowd, now.monotonic_ns)
            else:
                self._making.seed(crowd)
        return True

    def _pause_ns(self, crowd: Crowd) -> int:
        """Return the time from one maker's turn to the next."""
        if crowd.market.state != "OPEN":
            return self._calm_ns * _QUIET_FACTOR
        if self._burst_ns and crowd.next_maker_ns % self._burst_every_ns < self._burst_lasts_ns:
            return self._burst_ns
        return self._calm_ns

    def _takes(self, crowd: Crowd) -> bool:
        return self._taker_ns > 0 and crowd.market.state == "OPEN"

    def _due(self, crowd: Crowd) -> int:
        due = crowd.next_maker_ns
        if crowd.next_taker_ns < due and self._takes(crowd):
            due = crowd.next_taker_ns
        if crowd.hit_ns is not None and crowd.hit_ns < due:
            due = crowd.hit_ns
        return due

    @staticmethod
    def _later(due_ns: int, pause_ns: int, now: Instant) -> int:
        return max(due_ns, now.monotonic_ns - _BEHIND_NS_MAX) + pause_ns

    def _fair(self, market: Market, strike_e8: int, now: Instant) -> float:
        """Return the probability of a market's first outcome."""
        oracle = self._oracles[market.asset]

        def above(edge_e8: int) -> float:
            return fair_up(oracle, edge_e8, now.wall_ms, market.end_ms, market.lookback_ms)

        if market.range_number is None:
            return above(strike_e8)
        low, high = RANGES[market.range_number].edges(strike_e8)
        return (1.0 if low is None else above(low)) - (0.0 if high is None else above(high))

    def _refresh_fair(self, crowd: Crowd, now: Instant) -> None:
        market = crowd.market
        crowd.fair_at_ns = now.monotonic_ns + _FAIR_EVERY_NS
        if market.strike_e8 is None:
            return
        fair = self._fair(market, market.strike_e8, now)
        crowd.fair_e4 = round(fair * PRICE_ONE_E4)
        self._making.learn(crowd, now.monotonic_ns)
        if self._takes(crowd):
            self._taking.watch(crowd, now.monotonic_ns)
