"""What must never be seen, looked for after every action, and what must be so after a calm.

Looks at the venue, at what is durable, at first bytes as they are written and at facts as they
are decided. It never asks a core what it believes; what the core tells anybody is enough.
"""

import msgspec

from ops.simulation.checkers import Findings, IntentChecker, LeaseChecker, LifecycleChecker
from ops.simulation.machine.ledger import MemoryLedger
from ops.simulation.machine.venue import MachineVenue
from services.execution.may_send import Permit, Permits
from services.execution.position import fill_cost_e6
from shared.effects import HttpRequest, Publish
from shared.facts import FillFact, OrderFact, Positions
from shared.identifiers import Incarnation, OrderHash, TokenId
from shared.ledger_schema import FillRecord
from shared.orders import TERMINAL
from shared.units import Instant

RESTING = ("LIVE", "PARTLY_FILLED")


class Known(msgspec.Struct, frozen=True):
    """A leg as execution has told of it last."""

    token: str
    side: str
    size_e6: int
    has_failed: bool

    @property
    def signed_e6(self) -> int:
        """Return what it adds to the position."""
        if self.has_failed:
            return 0
        return self.size_e6 if self.side == "BUY" else -self.size_e6


def permits_of(request: HttpRequest) -> tuple[Permit, ...]:
    """Return the permits of the orders in a request: none, one, or those of a batch."""
    if isinstance(request.permit, Permits):
        return request.permit.permits
    return (request.permit,) if isinstance(request.permit, Permit) else ()


class Judge:
    """All that is looked for in one machine."""

    def __init__(
        self, findings: Findings, venue: MachineVenue, ledger: MemoryLedger, orders_max: int
    ) -> None:
        """Look at these.

        Args:
            findings: Where violations go.
            venue: What it truly holds.
            ledger: What is durable.
            orders_max: Most orders that may be open, in flight and unknown together.
        """
        self._findings = findings
        self._venue = venue
        self._ledger = ledger
        self._orders_max = orders_max
        self.lease = LeaseChecker(findings)
        self._intents = IntentChecker(findings, ledger)
        self._lifecycle = LifecycleChecker(findings, venue)
        self._legs: dict[tuple[str, str], Known] = {}
        self._crossed = 0
        self._differences: list[str] = []
        self.posts = 0

    def started(self) -> None:
        """A run of execution begins: it knows what is durable."""
        self._legs = {
            (fill.trade_id, fill.order_id): Known(
                fill.token, fill.side, fill.size_e6, fill.settlement == "FAILED"
            )
            for fill in self._ledger.fills.values()
        }

    def decided(self, who: int, effect: Publish) -> None:
        """Judge a fact at the moment of its decision."""
        body = effect.body
        if isinstance(body, OrderFact):
            self._lifecycle.told(body, Incarnation(who))
        elif isinstance(body, FillFact):
            self._told_fill(body)
        elif isinstance(body, Positions):
            self._told_positions(body)

    def written(self, who: int, request: HttpRequest, now: Instant) -> None:
        """Judge the first byte of a request."""
        for permit in permits_of(request):
            self.posts += 1
            self.lease.posted(Incarnation(who), permit.order_id, permit.epoch, now)
            self._intents.posted(permit.order_id)

    def _told_fill(self, fact: FillFact) -> None:
        key = (str(fact.trade_id), str(fact.order_id))
        has_failed = fact.settlement == "FAILED"
        self._legs[key] = Known(fact.token, fact.side, fact.size, has_failed)
        self._lifecycle.told_fill(fact)
        leg = self._venue.leg(*key)
        if leg is None:
            self._add("INV-8", f"{key} is no leg of the venue")
        elif (leg.token, leg.side, leg.size_e6) != (fact.token, fact.side, fact.size):
            self._add("INV-8", f"{key} is told as {fact}, the venue has {leg}")
        elif has_failed and leg.status != "FAILED":
            self._add("INV-8", f"{key} is taken back and is {leg.status} at the venue")

    # --- after every action -----------------------------------------------------------

    def look(self, under_way: list[OrderHash]) -> None:
        """Judge the venue after an action.

        Args:
            under_way: Orders that were written and may still land.
        """
        self._intents.judge_venue(self._venue)
        open_ids = self._venue.open_ids()
        count = len({*open_ids, *under_way})
        if count > self._orders_max:
            self._add("EX-24", f"{count} orders live or on their way, {self._orders_max} allowed")
        for text in self._venue.crossed[self._crossed :]:
            self._add("EX-26", f"own trade {text}")
        self._crossed = len(self._venue.crossed)

    def _told_positions(self, fact: Positions) -> None:
        """INV-8: a position is the sum of the known legs that have not failed, each once."""
        expected: dict[str, int] = {}
        for leg in self._legs.values():
            expected[leg.token] = expected.get(leg.token, 0) + leg.signed_e6
        held: dict[str, int] = {}
        for position in fact.positions:
            held[position.token] = held.get(position.token, 0) + position.matched
        for token in {**expected, **held}:
            has_e6, legs_e6 = held.get(token, 0), expected.get(token, 0)
            if has_e6 != legs_e6 and not (has_e6 == 0 and self._venue.is_decided(token)):
                self._add("INV-8", f"token {token}: {has_e6} held, known legs make {legs_e6}")

    # --- after a calm -------------------------------------------------------------------

    def compare(self, snapshot: list[Publish]) -> list[str]:
        """INV-7: core, ledger and venue agree on orders, legs and money to the base unit.

        Args:
            snapshot: What the core tells a reader that has missed everything.

        Returns:
            What does not agree, for the caller to look again or to keep.
        """
        self._differences = []
        told = {
            effect.body.order_id: effect.body
            for effect in snapshot
            if isinstance(effect.body, OrderFact)
        }
        self._compare_orders(told)
        self._compare_legs()
        self._compare_money()
        return self._differences

    def _compare_orders(self, told: dict[OrderHash, OrderFact]) -> None:
        open_ids = set(self._venue.all_open_ids())
        for name, row in self._ledger.orders.items():
            if row.state not in (*RESTING, *TERMINAL):
                self._differences.append(f"{name} is still {row.state}")
            if (row.state in RESTING) != (name in open_ids):
                where = "live" if name in open_ids else "not live"
                self._differences.append(f"{name} is {row.state} and {where} at the venue")
            matched = self._venue.filled_e6(name)
            if matched is not None and matched != row.filled_e6:
                self._differences.append(f"{name} filled {row.filled_e6}, the venue has {matched}")
            fact = told.pop(name, None)
            believed = None if fact is None else (fact.state, fact.filled)
            if believed != (None if row.state in TERMINAL else (row.state, row.filled_e6)):
                self._differences.append(
                    f"{name} is {believed}, durable {row.state} {row.filled_e6}"
                )
        for name in {*told, *(open_ids - set(self._ledger.orders))}:
            self._differences.append(f"{name} is not in the ledger")

    def _compare_legs(self) -> None:
        legs = self._venue.legs()
        durable = {(str(t), str(o)): fill for (t, o), fill in self._ledger.fills.items()}
        for key, leg in legs.items():
            fill = durable.get(key)
            if fill is None:
                self._differences.append(f"{key} is at the venue and not in the ledger: {leg}")
            elif (fill.size_e6, fill.settlement) != (leg.size_e6, leg.status):
                text = f"{key} is {fill.size_e6} {fill.settlement}, the venue has {leg}"
                self._differences.append(text)

    def _compare_money(self) -> None:
        account = self._venue.exchange.accounts.get(self._venue.wallet)
        fills = [fill for fill in self._ledger.fills.values() if fill.settlement != "FAILED"]
        held: dict[str, int] = {}
        for fill in fills:
            held[fill.token] = held.get(fill.token, 0) + _signed_e6(fill)
        paid_e6 = 0
        for payout in self._ledger.payouts.values():
            paid_e6 += payout.amount_e6
            if held.pop(payout.token, 0) != payout.size_e6:
                self._differences.append(f"payout {payout} is not of what was held")
        for token, size_e6 in held.items():
            market = self._venue.market_of(TokenId(token))
            if market is not None and account.balance(token) != size_e6:
                text = f"token {token}: {size_e6} held, {account.balance(token)} at the venue"
                self._differences.append(f"{text} ({market.state})")
        spent_e6 = sum(fill_cost_e6(fill) for fill in fills)
        expected_e6 = account.deposited - spent_e6 + paid_e6
        if account.collateral != expected_e6:
            self._differences.append(
                f"{expected_e6} micro-dollars left, {account.collateral} there"
            )

    def _add(self, rule: str, text: str) -> None:
        self._findings.add(rule, text)


def _signed_e6(fill: FillRecord) -> int:
    return fill.size_e6 if fill.side == "BUY" else -fill.size_e6
