"""One machine: execution, venue, network, disk and company, moved by actions alone.

`do` takes an action and looks for what must never be seen. Everything in it follows from the
seed and from the actions, so that a list of actions is all that a failure needs to be seen again.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from bus.settings import Settings
from ops.simulation.account import make_account
from ops.simulation.checkers import Findings, Violation
from ops.simulation.machine.clock import Clock
from ops.simulation.machine.company import Feeds, Risk, ping_message
from ops.simulation.machine.judge import Judge, permits_of
from ops.simulation.machine.ledger import MemoryLedger
from ops.simulation.machine.network import Flight, Network
from ops.simulation.machine.run import MakeCore, Run, Surroundings
from ops.simulation.machine.venue import MachineVenue
from services.execution.core import ExecutionCore
from services.execution.messages import PanicSeen
from services.simulator.answers import Answer
from shared.config import (
    AccountSettings,
    Config,
    LimitSettings,
    MarketSettings,
    RunSettings,
    SimulatorSettings,
    TimingSettings,
    VenueSettings,
)
from shared.config.losses import FREE_LOSSES
from shared.effects import Message, Paused
from shared.facts import OwnOrder, OwnTrade
from shared.identifiers import Incarnation, OrderHash
from shared.topics import FEED_USER
from shared.units import NS_PER_MS
from shared.venue.auth import Credentials

TICK_MS: Final = 100
CALM_MS: Final = 10_000
"""A reconciliation period, the deadlines of what was sent last, a start-up, and a little more."""

STILL_MS: Final = 600
"""Longer than a record may wait for its commit, and an order for its answer."""

LOOKS: Final = 4
"""So often what differs after a calm is looked at again."""

TOLD_KEPT: Final = 64
"""Events of the own-order stream that may be told once more."""

INTERVAL_S: Final = 60
_HOST = "127.0.0.1:18080"


class Account(msgspec.Struct, frozen=True):
    """Key, credentials and settings, made once for many machines."""

    settings: Settings
    credentials: Credentials


def make_config(seed: int) -> Config:
    """Return settings under which a lot happens soon: short markets, deadlines and periods."""
    return Config(
        run=RunSettings(profile="machine"),
        account=AccountSettings(key_file="key.hex", credentials_file="credentials.json"),
        venue=VenueSettings(
            clob_url=f"http://{_HOST}",
            discovery_url=f"http://{_HOST}",
            geoblock_url=f"http://{_HOST}",
            market_socket_url=f"ws://{_HOST}/ws/market",
            user_socket_url=f"ws://{_HOST}/ws/user",
            price_socket_url=f"ws://{_HOST}/ws",
        ),
        markets=MarketSettings(interval_s=INTERVAL_S, cutoff_ms=5_000),
        timing=TimingSettings(
            socket_timeout_ms=2_000,
            post_deadline_ms=800,
            cancel_deadline_ms=500,
            read_deadline_ms=800,
            late_order_margin_ms=2_000,
            reconcile_light_ms=2_000,
            target_ttl_ms=2_000,
        ),
        limits=LimitSettings(
            open_orders_max=6,
            shares_per_outcome_max=200,
            unpaired_shares_global_max=400,
            exposure_usd_max=400,
            daily_loss_usd_max=500,
        ),
        losses=FREE_LOSSES,
        simulator=SimulatorSettings(
            seed=seed, ahead=1, resolution_ms=1_000, mined_ms=600, confirmed_ms=900
        ),
    )


def prepare(directory: Path) -> Account:
    """Write key and credentials into a directory, for every machine that is made of them."""
    settings, credentials = make_account(1, make_config(1), directory)
    return Account(settings, credentials)


class Machine:
    """The whole of it.

    Attributes:
        run: The execution that is alive, None while none is.
        inbox: Own-order events that have not been heard yet.
        told: Those that were, for replays.
        answers_next: How the next requests are answered instead of by the venue.
        is_panic: Whether the PANIC file stands.
        down_until_ms: Until when execution stays down by itself.
    """

    def __init__(self, account: Account, make_core: MakeCore = ExecutionCore) -> None:
        """Begin, with execution started and everybody well."""
        config = account.settings.config
        self.clock = Clock()
        self.findings = Findings(lambda: self.clock.elapsed_ms * NS_PER_MS)
        now = self.clock.now
        self.venue = MachineVenue(config.simulator, INTERVAL_S, account.credentials, now)
        self.ledger = MemoryLedger()
        self.judge = Judge(self.findings, self.venue, self.ledger, config.limits.open_orders_max)
        self.network = Network()
        self.risk = Risk(self.clock, config.timing.lease_ms)
        self.feeds = Feeds(
            self.clock, self.venue, config.timing.target_ttl_ms, config.markets.cutoff_ms
        )
        self._around = Surroundings(
            settings=account.settings,
            network=self.network,
            ledger=self.ledger,
            read=lambda: self.clock.now,
            written=self.judge.written,
            decided=self.judge.decided,
            make_core=make_core,
        )
        self.run: Run | None = None
        self.starts = 0
        self.inbox: list[OwnOrder | OwnTrade] = []
        self.told: list[OwnOrder | OwnTrade] = []
        self.is_prompt = True
        self.commits_at_once = True
        self.answers_next: list[tuple[Answer, bool]] = []
        self.is_panic = False
        self.start()
        self.linger(4_000)

    @property
    def violations(self) -> list[Violation]:
        """What was found."""
        return self.findings.violations

    # --- execution ------------------------------------------------------------------

    def start(self) -> None:
        """Start execution, if none is alive."""
        if self.run is not None:
            return
        self.starts += 1
        self.judge.started()
        self.run = Run(Incarnation(self.starts), self._around)
        self.run.disk.is_prompt = self.commits_at_once
        self.tell(PanicSeen(self.is_panic))

    def kill(self, *, committed: bool) -> None:
        """Kill execution between any two of its effects."""
        if self.run is not None:
            self.run.cut(committed=committed)
            self.run = None

    def tell(self, message: Message) -> None:
        """Give the core a message."""
        if self.run is not None:
            self.run.tell(message)
            self.bury()

    def bury(self) -> None:
        """Take an end that execution has made itself."""
        if self.run is not None and self.run.ended:
            self.run = None

    # --- time -----------------------------------------------------------------------

    def wait(self, milliseconds: int) -> None:
        """Let a little time pass: everybody who is due speaks, and execution ticks once."""
        self.clock.advance(milliseconds)
        self.venue.advance(self.clock.now)
        self._listen()
        if self.run is not None:
            self._ask()
            if not self.risk.is_held:
                self.hear_risk()
            self.feeds.speak(self.tell)
        if self.run is not None:
            self.run.tick()
            self.bury()
        if self.network.is_prompt:
            self.flow()
        if self.is_prompt:
            self.hear_all()
        self.network.clean(self.clock.now)

    def linger(self, milliseconds: int) -> None:
        """Let time pass, tick by tick."""
        for _ in range(milliseconds // TICK_MS):
            self.wait(TICK_MS)

    def sleep(self, milliseconds: int) -> None:
        """Let time pass without any turn of execution: the machine was suspended."""
        self.clock.advance(milliseconds)
        self.venue.advance(self.clock.now)
        self._listen()
        self.tell(Paused(milliseconds * NS_PER_MS))

    def _ask(self) -> None:
        """Let risk ping, when it is due, with a lease for what it has read last."""
        if self.run is None or not self.risk.is_due():
            return
        self.risk.say()
        if not self.risk.is_held:
            self.hear_risk()
        if self.run is not None:
            pong = self.run.core.execution_pong(self.clock.now)
            self.risk.asked_ns, self.risk.asker = pong.asked_ns, self.run.incarnation

    def hear_risk(self) -> None:
        """Let execution hear what is on the control line."""
        while self.risk.line:
            ping = self.risk.line.popleft()
            if self.run is not None:
                self.judge.lease.ordered(self.run.incarnation, ping)
                self.tell(ping_message(ping))

    # --- own-order stream ---------------------------------------------------------------

    def _listen(self) -> None:
        """Take what the venue has told of our orders, as long as somebody is connected."""
        events, self.venue.events = self.venue.events, []
        if self.feeds.is_connected:
            self.inbox += events

    def hear(self, index: int) -> None:
        """Let execution hear one of the events that wait, whichever came first."""
        self._listen()
        if self.inbox:
            self._hear(self.inbox.pop(index % len(self.inbox)))

    def hear_all(self) -> None:
        """Let execution hear all that waits, in its order."""
        self._listen()
        waiting, self.inbox = self.inbox, []
        for event in waiting:
            self._hear(event)

    def hear_again(self, index: int) -> None:
        """Let execution hear once more what it has heard long ago."""
        if self.told:
            self._hear(self.told[index % len(self.told)])

    def _hear(self, event: OwnOrder | OwnTrade) -> None:
        self.told = [*self.told[1 - TOLD_KEPT :], event]
        self.tell(self.feeds.fact(FEED_USER, "feed.user", event))

    # --- network ----------------------------------------------------------------------

    def flow(self, *, with_posts: bool = True, newest_first: bool = False) -> None:
        """Let everything land and every answer arrive, or all but the posts."""
        flights = self.network.landing(self.clock.now)
        for flight in reversed(flights) if newest_first else flights:
            if with_posts or flight.request.permit is None:
                self.land(flight)
        for flight in self.network.answered():
            self.answer(flight)

    def land(self, flight: Flight) -> None:
        """Let a request reach the venue."""
        flight.landed = True
        request = flight.request
        instead = self.answers_next.pop(0) if self.answers_next else None
        if instead is not None and not instead[1]:
            flight.answer = instead[0]
            return

        def take(answer: Answer) -> None:
            flight.answer = answer if instead is None else instead[0]

        self.venue.request(request.method, request.path, request.body, self.clock.now, take)
        self._listen()

    def answer(self, flight: Flight) -> None:
        """Let an answer arrive."""
        assert flight.answer is not None, "only what was answered arrives"
        if self.run is None or flight.who != int(self.run.incarnation):
            flight.heard = True
            return
        self.run.lanes.reply(flight, flight.answer)
        self.run.hear_lanes()
        self.bury()

    def under_way(self) -> list[OrderHash]:
        """Return the orders that were written and may still land."""
        flights = self.network.landing(self.clock.now)
        return [permit.order_id for f in flights for permit in permits_of(f.request)]

    # --- the end of all faults -----------------------------------------------------------

    def calm(self) -> None:
        """End every fault, let a reconciliation period pass, and compare everything."""
        self.heal()
        self.linger(CALM_MS)
        while self.venue.is_settling(self.clock.now):
            self.wait(TICK_MS)
        differences: list[str] = []
        for _ in range(LOOKS):
            if self.run is None:
                return
            differences = self.judge.compare(self.run.core.snapshot(self.clock.now))
            if not differences:
                return
            # A cutoff or a renewal may just now be on its way to the disk.
            self.linger(STILL_MS)
        for text in differences:
            self.findings.add("INV-7", text)

    def heal(self) -> None:
        """Let everything be well from now on."""
        self.answers_next.clear()
        self.venue.faults.clear(None)
        self.network.is_prompt = self.is_prompt = self.commits_at_once = True
        self.feeds.silent.clear()
        if not self.feeds.is_connected:
            self.reconnect()
        self.risk.is_held = False
        if self.risk.fence_id == self.risk.epoch or not self.risk.grants:
            self.risk.resume()
        self.risk.resume()
        self.is_panic = False
        self.start()
        assert self.run is not None, "it was just started"
        self.run.disk.is_prompt = True
        self.run.disk.fails = 0
        self.run.lanes.is_stalled = False
        self.commit_all()
        self.tell(PanicSeen(False))

    def commit_all(self) -> None:
        """Let every commit that waits hold."""
        while self.run is not None and self.run.disk.waiting:
            self.run.commit()
            self.bury()

    def reconnect(self) -> None:
        """Connect the own-order stream again: a new session, which has missed something."""
        self.venue.events.clear()
        self.feeds.is_connected = True
        self.feeds.session += 1

    def when_alive(self, act: Callable[[Run], None]) -> None:
        """Do something to the run that is alive."""
        if self.run is not None:
            act(self.run)
            self.bury()

    def look(self) -> None:
        """Look for what must never be seen."""
        self.judge.look(self.under_way())
