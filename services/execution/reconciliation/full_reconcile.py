"""The full reconciliation: orders, trades and positions compared in rounds, and the verdict.

A round reads the open orders, a window of trades and the balance of every token of the
running markets and of those that still owe us shares, all sent after it began. What disagrees
beyond tolerance pauses trading and cancels everything (KS-14); positions that nobody here
knows of are adopted, orders that ended here and are still listed are cancelled by their ids. A
round that cannot be read has no verdict: its age is what blocks then. Before the start is
proven, differences are what the start is for: they are adopted with an alert and counted
against nobody.
"""

from typing import Final

from services.execution.cancels.canceling import Canceller
from services.execution.gate import Predicate
from services.execution.inputs import Inputs
from services.execution.order_register import OrderRegister
from services.execution.positions import Positions
from services.execution.reconciliation.account_sync import AccountSync
from services.execution.reconciliation.adoption import adopt
from services.execution.reconciliation.agreement import Agreement, Difference
from services.execution.reconciliation.balances import Balances
from services.execution.reconciliation.compared_tokens import compared_tokens, has_ended
from services.execution.reconciliation.reconcile import Reconciler
from services.execution.requests import BalanceAsk, Requests
from shared.config import Config
from shared.effects import Effect, HttpFailed, HttpReply, Log, Publish
from shared.facts import Alert, MarketInfo
from shared.identifiers import TokenId
from shared.switches import RECONCILIATION_MISMATCH
from shared.units import NS_PER_MS, NS_PER_S, BootNs, Instant, MonotonicNs

AGAIN_NS: Final = 5 * NS_PER_S
"""From a round that disagreed to the next: what it cancelled and adopted shows by then."""

DOUBT_AGAIN_NS: Final = 2 * NS_PER_S
"""From a round with a balance in doubt to the next."""

ROUND_NS_MAX: Final = 20 * NS_PER_S
"""A round that is not whole by then begins anew: its first reads say little of now."""

ROUNDS_MISSED_MAX: Final = 4
"""Rounds that may fail in a row before our picture of our positions counts as old."""

GHOST_EVERY_NS: Final = NS_PER_S


class FullReconcile:
    """The rounds.

    Attributes:
        agreement: The verdicts.
        is_seeded: Whether a round has found nothing in doubt and nothing different: what the
            start waits for.
        adopted: Legs written for positions that nobody here knew of.
    """

    def __init__(
        self,
        config: Config,
        requests: Requests,
        register: OrderRegister,
        positions: Positions,
        inputs: Inputs,
        reconciler: Reconciler,
        sync: AccountSync,
        now: Instant,
    ) -> None:
        """Begin with no round."""
        timing = config.timing
        self._is_dry = config.run.dry_run
        self._every_ns = timing.reconcile_full_ms * NS_PER_MS
        self._register = register
        self._positions = positions
        self._inputs = inputs
        self._reconciler = reconciler
        self._sync = sync
        self._balances = Balances(config, requests, positions, register, reconciler, now)
        self._began_ns: BootNs | None = None
        self._due_ns = BootNs(0)
        self._tokens: dict[TokenId, MarketInfo] = {}
        self._ghost_ns = BootNs(0)
        self._is_deep = False
        self._has_differed = False
        self.agreement = Agreement()
        self.is_seeded = self._is_dry
        self.adopted = 0

    def tick(
        self, canceller: Canceller, epoch: int, now: Instant, *, is_start: bool
    ) -> list[Effect]:
        """Go on with the round that is due, and end it when all of it is read."""
        self.agreement.know_epoch(epoch)
        if self._is_dry or self._reconciler.identity is None or self._inputs.calendar is None:
            return []
        effects = self._cancel_ghosts(canceller, now)
        if self._began_ns is None:
            if now.boot_ns < self._due_ns and not self._is_alarmed():
                return effects
            self._begin(now, is_start=is_start)
        assert self._began_ns is not None, "a round is under way"
        if now.boot_ns - self._began_ns > ROUND_NS_MAX:
            effects.append(Log("reconcile.incomplete", {"why": self.waits_for()}, "warning"))
            self._begin(now, is_start=is_start)
        effects += self._balances.ask(self._tokens, self._began_ns or now.boot_ns, now)
        if not self.waits_for():
            effects += self._conclude(canceller, epoch, now, is_start=is_start)
        return effects

    def know_wallet(self, wallet: str, signature_type: int) -> None:
        """Take whose balances are compared."""
        self._balances.wallet, self._balances.signature_type = wallet, signature_type

    def replied(self, ask: BalanceAsk, reply: HttpReply, now: Instant) -> None:
        """Take an answer after a balance."""
        self._balances.replied(ask, reply, now)

    def failed(self, ask: BalanceAsk, failure: HttpFailed, now: Instant) -> None:
        """Take the lack of an answer after a balance."""
        self._balances.failed(ask, failure, now)

    def age_ns(self, now: Instant) -> int | None:
        """Return how long ago a round last agreed; None before the first."""
        agreed_ns = self.agreement.agreed_ns
        return None if agreed_ns is None else now.boot_ns - agreed_ns

    def agreed_monotonic_ns(self, now: Instant) -> MonotonicNs | None:
        """Return when a round last agreed, by CLOCK_MONOTONIC; None before the first."""
        age_ns = self.age_ns(now)
        return None if age_ns is None else MonotonicNs(now.monotonic_ns - age_ns)

    def predicate(self, now: Instant) -> Predicate:
        """Return what must hold of the rounds for any order; a dry run needs none."""
        age_ns = self.age_ns(now)
        limit_ns = ROUNDS_MISSED_MAX * self._every_ns
        is_recent = age_ns is not None and age_ns < limit_ns
        value = "" if is_recent else self.trouble()
        return Predicate("positions_known", self._is_dry or is_recent, False, value, age_ns)

    def blocks(self) -> tuple[tuple[str, str], ...]:
        """Return what forbids any order: a disagreement, until it is over."""
        text = self.agreement.text
        return ((RECONCILIATION_MISMATCH.name, text),) if text else ()

    def waits_for(self) -> str:
        """Say what the round under way still waits for; empty when it is whole or none is."""
        if self._inputs.calendar is None:
            return "the market calendar"
        began_ns = self._began_ns
        if began_ns is None:
            return ""
        if (self._sync.orders_ns or 0) < began_ns:
            return "open orders"
        if (self._sync.window_ns or 0) < began_ns:
            return "trades of the last minutes"
        unread = sum(self._verdict(token) == "unread" for token in self._tokens)
        why = f": {self._balances.trouble}" if self._balances.trouble else ""
        return f"the balances of {unread} tokens{why}" if unread else ""

    def trouble(self) -> str:
        """Say why no round has agreed lately; empty when nothing is known against it."""
        doubted = self.doubted()
        return self.waits_for() or (f"{doubted} balances in doubt" if doubted else "")

    def doubted(self) -> int:
        """Return how many balances differ without proof."""
        return sum(self._verdict_of(token) == "doubted" for token in self._tokens)

    def _is_alarmed(self) -> bool:
        """Whether the open orders differ, so that a round is due at once, and none said so yet."""
        return not self.agreement.differences and bool(self._sync.comparison.confirmed())

    def _begin(self, now: Instant, *, is_start: bool) -> None:
        """Begin a round.

        A start reads the trades since the newest that the ledger knows, with their overlap; the
        whole window, which after a busy hour is many pages, only once a balance differs.
        """
        calendar = self._inputs.calendar
        assert calendar is not None, "rounds begin with a calendar"
        self._began_ns = now.boot_ns
        self._tokens = compared_tokens(calendar.markets, self._positions, now)
        self._balances.begin(frozenset(self._tokens))
        self._is_deep = not is_start or self._has_differed
        self._sync.demand(now, is_deep=self._is_deep)

    def _conclude(
        self, canceller: Canceller, epoch: int, now: Instant, *, is_start: bool
    ) -> list[Effect]:
        """End a round: agree, wait for what is in doubt, or disagree."""
        self._began_ns = None
        judged = [token for token in self._tokens if self._is_judged(token, now)]
        doubted = [token for token in judged if self._verdict_of(token) == "doubted"]
        differing = [token for token in judged if self._verdict_of(token) == "differs"]
        if differing and not self._is_deep:
            # A trade that only the whole window shows must be counted, not adopted.
            self._has_differed = True
            self._due_ns = now.boot_ns
            return []
        differences = (
            *self._sync.take_unknown(),
            *self._sync.comparison.confirmed(),
            *(self._balances.difference(token) for token in differing),
        )
        if not differences:
            self.is_seeded = self.is_seeded or not doubted
            self._due_ns = BootNs(now.boot_ns + (DOUBT_AGAIN_NS if doubted else self._every_ns))
            was_wrong = bool(self.agreement.differences)
            if not doubted:
                self.agreement.agree(now)
            return [Log("reconcile.agrees", {"round": self.agreement.rounds})] if was_wrong else []
        self._due_ns = BootNs(now.boot_ns + (DOUBT_AGAIN_NS if is_start else AGAIN_NS))
        effects = self._adopt(differing, now)
        if is_start:
            return effects
        return [*self._disagree(differences, canceller, epoch, now), *effects]

    def _disagree(
        self,
        differences: tuple[Difference, ...],
        canceller: Canceller,
        epoch: int,
        now: Instant,
    ) -> list[Effect]:
        """Stand still: everything is cancelled, and nothing is placed until a round agrees."""
        self.agreement.disagree(tuple(sorted(differences)), epoch)
        row = RECONCILIATION_MISMATCH
        alert = Alert("critical", row.name, self.agreement.text, row.runbook)
        fields = {"in_a_row": self.agreement.in_a_row, "what": self.agreement.text}
        return [
            *canceller.cancel_all(row.name, now),
            Publish("risk.alert", alert, now.monotonic_ns),
            Log("reconcile.differs", fields, "critical"),
        ]

    def _adopt(self, tokens: list[TokenId], now: Instant) -> list[Effect]:
        """Give what nobody knew of an owner, and take what is missing from its owners."""
        identity = self._reconciler.identity
        assert identity is not None, "nothing is compared without an identity"
        told: list[str] = []
        for token in tokens:
            market = self._tokens[token]
            surplus_e6 = self._balances.surplus_e6(token)
            book = self._inputs.book(market.condition_id, token)
            legs = adopt(
                self._positions,
                identity.account,
                market.condition_id,
                token,
                surplus_e6,
                book,
                now,
            )
            for leg in legs:
                self._positions.take(leg)
                self.adopted += 1
            self._reconciler.note_change(token, now)
            told.append(f"{self._balances.difference(token)}")
        if not told:
            return []
        text = f"unknown positions adopted: {'; '.join(told)}"
        alert = Alert("critical", "unknown_position", text, "unknown-position")
        return [
            Publish("risk.alert", alert, now.monotonic_ns),
            Log("reconcile.adopted", {"what": text}, "critical"),
        ]

    def _cancel_ghosts(self, canceller: Canceller, now: Instant) -> list[Effect]:
        """Cancel by id what ended here and is still listed."""
        ghosts = self._sync.comparison.ghosts
        if not ghosts or now.boot_ns - self._ghost_ns < GHOST_EVERY_NS:
            return []
        self._ghost_ns = now.boot_ns
        return canceller.cancel_ids(ghosts, now)

    def _verdict(self, token: TokenId) -> str:
        assert self._began_ns is not None, "a round is under way"
        return self._balances.verdict(token, self._began_ns)

    def _verdict_of(self, token: TokenId) -> str:
        """Return the newest evidence, at the end of its round."""
        return self._balances.verdict(token, BootNs(0))

    def _is_judged(self, token: TokenId, now: Instant) -> bool:
        """Whether a balance may be held against anybody: not where it may have been paid out."""
        market = self._inputs.market(self._tokens[token].condition_id)
        if market is None or market.winner is not None:
            return False
        return not (has_ended(market, now) and self._balances.is_gone(token))
