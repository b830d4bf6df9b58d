"""A group that makes many orders while the venue, the network and its own processes misbehave.

Holds the profile, the faults, and what is asked of both sides while it runs. Judges by
`agreement.py` alone; decides nothing about which moments: a seed does.
"""

import bisect
import os
import random
import signal
import threading
from collections import Counter
from decimal import Decimal
from typing import Any, Final

import msgspec

from bus import clock
from bus.ledger_reader import LedgerReader, Rows, Unreadable
from ops.waiting import wait_for
from shared.ledger_schema import LEDGER_FILE
from shared.topics import EXECUTION
from shared.units import NS_PER_MS, NS_PER_S
from tests.processes.accounts import Balances, LedgerSide, VenueSide, ledger_side, units
from tests.processes.agreement import disagreements, revived, unexplained
from tests.processes.group import FREE_LOSSES, GroupUnderTest

INTERVAL_S = 60
CHANGES = {
    'assets = ["btc"]': 'assets = ["btc", "eth", "sol", "xrp"]',
    "takers_per_second = 2.0": "takers_per_second = 4.0",
    **FREE_LOSSES,
}

PROFILE = """
rate_tier = "elite"
collateral_usd = 1000000
volatility_annual = 3.0
oracle_latency_ms = 300

[limits]
orders_per_second_max = 500
open_orders_max = 110
shares_per_outcome_max = 1000
unpaired_shares_global_max = 10000
exposure_usd_max = 1000000
daily_loss_usd_max = 1000000

[throttle]
orders_max = 100000
fills_max = 100000

[timing]
clean_data_ms = 500
post_deadline_ms = 600
cancel_deadline_ms = 400
read_deadline_ms = 600

[strategy.market_making]
levels = 3
size_shares = 5
requote_e4 = 0
spread_e4_min = 150
price_e4_min = 100
disagreement_e4_max = 10000
"""
"""Many orders: three levels in eight books whose fair value moves by ticks twice a second, every
move followed, at a venue whose rates and an account whose limits leave room for it. Deadlines are
short, so that an answer that is lost costs little time."""

LOST_REPLIES = 0.10
SERVER_ERRORS = 0.05
FAULTS: Final[tuple[dict[str, Any], ...]] = (
    # Done, and never answered: of posts, cancels and reads alike.
    {"kind": "lose_reply", "path": "/order", "probability": LOST_REPLIES},
    {"kind": "lose_reply", "path": "/cancel", "probability": LOST_REPLIES},
    {"kind": "lose_reply", "path": "/data", "probability": LOST_REPLIES},
    # Half of the errors are told of what was done all the same.
    {
        "kind": "replace_reply",
        "path": "/order",
        "probability": SERVER_ERRORS / 2,
        "status": 500,
        "text": "internal server error",
    },
    {
        "kind": "refuse",
        "path": "/order",
        "probability": SERVER_ERRORS / 2,
        "status": 502,
        "text": "<html>bad gateway</html>",
    },
    {
        "kind": "refuse",
        "path": "/data",
        "probability": SERVER_ERRORS,
        "status": 503,
        "text": "service unavailable",
    },
    # Bursts: everything is refused for a third of a second, every six seconds.
    {
        "kind": "refuse",
        "path": "/order",
        "status": 429,
        "text": "Too Many Requests",
        "retry_after_s": 1,
        "every_ms": 6_000,
        "duration_ms": 330,
        "after_ms": 1_000,
    },
    # Answers to batches that end in the middle, and answers that break off with their connection.
    {"kind": "truncate_reply", "path": "/orders", "probability": 0.03},
    {"kind": "reset_reply", "path": "/order", "probability": 0.01},
    # The own-order stream is no better: doubled, lost and late.
    {"kind": "double_frames", "stream": "user", "probability": 0.05},
    {"kind": "lose_frames", "stream": "user", "probability": 0.003},
    {"kind": "delay_frames", "stream": "user", "probability": 0.05, "delay_ms": 400},
)

STREAMS = ("user", "user", "market", "price", "")
"""Which sockets are cut at random; the own-order stream most often, the empty name cuts all."""

DROPS_SHARE = 0.25
EARLY_SHARE = 0.3
"""Part of the kills that strike soon after the one before: at a start, or in the first look."""

EARLY_S = (0.2, 2.5)
JITTER_S_MAX = 0.05
ON_ITS_WAY_NS = 100 * NS_PER_MS
STARTS_WITHIN_S = 20.0
PLACES_WITHIN_S = 90.0
ANSWER_S = 60.0
"""The venue under load answers its own clients first; only a hung one is a fault here."""

READS_WITHIN_S = 10.0
SETTLES_WITHIN_S = 60.0
"""Three reconciliation periods, a settlement, and the end and resolution of a market."""


class Figures(msgspec.Struct):
    """What one run was, for people.

    Attributes:
        recovered_s: From each kill to the next order at the venue, as far as no kill came before.
        settled_s: From the halt at the end to agreement.
    """

    seed: int
    kills: int = 0
    drops: int = 0
    recovered_s: tuple[float, ...] = ()
    looks: int = 0
    settled_s: float = 0.0
    counts: dict[str, int] = {}


def torture_group(seed: int) -> GroupUnderTest:
    """Return a group with many markets, not started yet."""
    return GroupUnderTest(interval_s=INTERVAL_S, extra=PROFILE, seed=seed, changes=CHANGES)


class Torture:
    """One run over a started group.

    Attributes:
        found: Whatever was seen that must never be, as of now.
    """

    def __init__(self, group: GroupUnderTest, seed: int) -> None:
        """Take a group that trades."""
        self.group = group
        group.venue.answer_s = ANSWER_S
        self.venue = VenueSide(group.address)
        self.figures = Figures(seed)
        self.found: list[str] = []
        self._heard = 0
        self._killed_wall_ns: list[int] = []
        self._chance = random.Random(seed)
        self._ledger = LedgerReader(group.data / LEDGER_FILE)

    def break_things(self) -> None:
        """Switch all faults on."""
        for fault in FAULTS:
            self.group.venue.fault(**fault)

    def run(self, orders: int, kills: int) -> None:
        """Let the venue accept so many orders, and kill execution so often meanwhile."""
        for number in range(kills):
            early = number > 0 and self._chance.random() < EARLY_SHARE
            if early:
                threading.Event().wait(self._chance.uniform(*EARLY_S))
            else:
                share = (number + self._chance.random()) / kills
                self._wait_for_orders(round(orders * share))
            if self._chance.random() < DROPS_SHARE:
                self._drop()
            threading.Event().wait(self._chance.uniform(0, JITTER_S_MAX))
            self._kill()
            self.look()
        self._wait_for_orders(orders)

    def _wait_for_orders(self, count: int) -> None:
        seen = len(self.venue.orders)
        while seen < count:
            before = seen

            def more(before: int = before) -> int | None:
                now = self._hear()
                return now if now > before else None

            grown = wait_for(more, PLACES_WITHIN_S)
            assert grown, f"no order in {PLACES_WITHIN_S} s: {self._why_not()}"
            seen = grown

    def _why_not(self) -> str:
        """Return what risk and execution say of standing still, and what was found before it."""
        self.look()
        view = self.group.view()
        risk, execution = view.risk(), view.execution()
        told = (
            "risk says nothing" if risk is None else f"risk {risk.reasons}",
            "execution says nothing"
            if execution is None
            else f"{execution.cause} {execution.start}",
            *self.found[:20],
        )
        return "\n".join((*told, self.group.log_tails(20)))

    def _hear(self) -> int:
        """Read on in the venue's log; return how many orders it ever accepted."""
        self.group.venue.read()
        records = self.group.venue.records
        self.venue.take(records[self._heard :])
        self._heard = len(records)
        return len(self.venue.orders)

    def _drop(self) -> None:
        self.group.venue.ask("POST", "/admin/drop", {"stream": self._chance.choice(STREAMS)})
        self.figures.drops += 1

    def _kill(self) -> None:
        pid = wait_for(lambda: self.group.pid(EXECUTION) or None, STARTS_WITHIN_S)
        assert pid, f"execution does not start\n{self.group.log_tails()}"
        self._killed_wall_ns.append(clock.read().wall_ns)
        os.kill(pid, signal.SIGKILL)
        self.figures.kills += 1

    def look(self) -> None:
        """Judge what holds at any moment, in the orders of reading that make it certain."""
        self._hear()
        ledger = self.read_ledger()
        self.found += unexplained(self.venue, ledger)
        self.found += revived(ledger, self.open_ids())
        self.figures.looks += 1

    def open_ids(self) -> set[str]:
        """Return what is open at the venue now, by its own state."""
        state = self.group.venue.ask("GET", "/admin/state")
        ours = {row["order_id"] for rows in state["open"].values() for row in rows}
        return ours | set(state["held"])

    def read_ledger(self) -> LedgerSide:
        """Return all that the ledger says now."""
        last: Unreadable | None = None

        def look() -> LedgerSide | None:
            nonlocal last
            answers = self._ledger.orders(), self._ledger.fills(), self._ledger.payouts()
            for answer in answers:
                if isinstance(answer, Unreadable):
                    last = answer
                    return None
                assert not answer.is_cut
            orders, fills, payouts = answers
            assert isinstance(orders, Rows) and isinstance(fills, Rows)  # noqa: PT018
            assert isinstance(payouts, Rows)
            return ledger_side(orders.rows, fills.rows, payouts.rows)

        side = wait_for(look, READS_WITHIN_S)
        assert side is not None, f"the ledger cannot be read: {last}"
        return side

    def balances(self) -> Balances:
        """Return what the venue says that the account has."""
        row = self.group.venue.ask("GET", f"/admin/account?address={self.group.address}")
        earned = Decimal(row["collateral"]) - Decimal(row["deposited"])
        shares = {token: units(text, 6) for token, text in row["tokens"].items()}
        return Balances(units(str(earned), 6), shares)

    def differences(self) -> list[str]:
        """Return how the two sides differ now: of things on their way they may for a moment."""
        balances, open_ids = self.balances(), self.open_ids()
        self._hear()
        return disagreements(self.venue, self.read_ledger(), balances, open_ids)

    def settle(self) -> list[str]:
        """Wait until both sides agree; return what still differs when the time is over."""
        last: list[str] = []

        def look() -> bool | None:
            nonlocal last
            last = self.differences()
            return None if last else True

        wait_for(look, SETTLES_WITHIN_S)
        return last

    def recoveries_s(self) -> tuple[float, ...]:
        """Return how long it took after each kill until an order came, unless another kill did."""
        placed = sorted(order.placed_wall_ns for order in self.venue.orders.values())
        found: list[float] = []
        for place, killed_ns in enumerate(self._killed_wall_ns):
            # What was on its way when execution died still arrives.
            after = bisect.bisect(placed, killed_ns + ON_ITS_WAY_NS)
            later = self._killed_wall_ns[place + 1 :]
            if after < len(placed) and (not later or placed[after] < later[0]):
                found.append(round((placed[after] - killed_ns) / NS_PER_S, 1))
        return tuple(found)

    def count(self) -> dict[str, int]:
        """Return what the venue did and what it said of it."""
        counts = Counter[str]()
        for record in self.group.venue.records:
            kind = record["kind"]
            if kind == "response":
                kind = f"answered {record['status'] // 100}xx"
                counts["answered 429"] += record["status"] == 429
            elif kind == "no_response":
                kind = f"{record['how']} reply"
            elif kind == "order":
                kind = f"order {record['change']}"
            counts[kind] += 1
        ledger = self.read_ledger()
        counts["intents"] = len(ledger.orders)
        counts.update(f"ledger {row.state}" for row in ledger.orders.values())
        return dict(sorted(counts.items()))
