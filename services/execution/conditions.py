"""What holds now, of all that an order rests on: assembled for the gate and for people.

Judges nothing itself: the predicates stand in `gate.py`.
"""

from services.execution import gate, reporting
from services.execution.access import access_predicates
from services.execution.closing import Held
from services.execution.gate import Account, Predicate, first_failing
from services.execution.ledger.journaling import SLOW_NS
from services.execution.may_send import Grant
from services.execution.parts import Parts
from shared.control import ExecutionPong
from shared.effects import Publish
from shared.facts import ExecutionStatus, MarketInfo
from shared.identifiers import ConditionId, StrategyName, TokenId
from shared.units import NS_PER_MS, Instant


class Conditions:
    """The gate's view of the parts."""

    def __init__(self, parts: Parts) -> None:
        """Look at these."""
        self._parts = parts
        self._held = Held(parts.standing, parts.positions, parts.inputs, self._closing_fails)

    def watch(self, now: Instant) -> None:
        """Note what people should know of positions, once a second."""
        self._parts.positions.watch_unsettled(now)
        self._parts.positions.troubles += self._held.watch(now)

    def _closing_fails(
        self, market: ConditionId, token: TokenId, strategy: StrategyName, now: Instant
    ) -> Predicate | None:
        """Return what keeps a closing order out, before its own price and size are looked at."""
        narrow = self.narrow_predicates(market, token, strategy, now)
        return first_failing((*self.account_predicates(now), *narrow), reduce_only=True)

    def blocks(self) -> tuple[tuple[str, str], ...]:
        """Return what forbids any order, whatever the lease says."""
        found: list[tuple[str, str]] = []
        if self._parts.panic:
            found.append(("panic", "the PANIC file stands in the data directory"))
        if self._parts.stopping is not None:
            found.append(("stopping", self._parts.stopping[0]))
        if self._parts.standing.is_fenced:
            found.append(("fence", self._parts.standing.fence_reason))
        if self._parts.self_fence.fenced is not None:
            found.append(("self_fence", self._parts.self_fence.fenced.cause))
        if self._parts.journaling.fault:
            found.append(("ledger", self._parts.journaling.fault))
        if self._parts.desk.phase.restriction.text:
            found.append(("restricted", self._parts.desk.phase.restriction.text))
        if self._parts.zeroing is not None:
            found.append(("zeroing", self._parts.zeroing.cause))
        return (*found, *self._parts.full.blocks())

    def grant(self) -> Grant:
        """Return what is held now, for `may_send`."""
        blocks = self.blocks()
        standing = self._parts.standing
        return Grant(
            epoch=standing.epoch,
            until_ns=standing.until_ns,
            state=standing.lease_state,
            blocked=blocks[0][0] if blocks else "",
            is_dry=self._parts.config.run.dry_run,
        )

    def account_predicates(self, now: Instant) -> tuple[Predicate, ...]:
        """Return what must hold for any order at all."""
        standing = self._parts.standing
        leased = standing.is_leased(now)
        if leased:
            self._parts.desk.phase.restriction.granted(standing.epoch)
        losses = self._parts.losses
        losses.look(now)
        account = Account(
            leased=leased,
            lease_age_ns=now.boot_ns - standing.heard_ns if standing.heard_ns else None,
            state=gate.account_state(
                standing.trading_state,
                standing.lease_state if leased else "PAUSED",
                standing.scopes.values(),
            ),
            start=self.start_missing(),
            blocked=self.blocks(),
            user_age_ns=self._parts.inputs.user_age_ns(now),
            is_reconciled=self._parts.sync.is_reconciled(self._parts.inputs.user_sound_ns),
            reconciled_age_ns=self._parts.sync.age_ns(now),
            lost_e6=-losses.realised_e6(now),
            session_lost_e6=losses.session_lost_e6(now),
            breach=losses.breach(),
            bounds=losses.bounds(),
            unpaired_e6=self._parts.inventory.unpaired_held_e6(),
            ledger_slow=self._slow_ledger(now),
            venue_hold=self._parts.desk.phase.holds_all(now.boot_ns, now.wall_ns),
            is_dry=self._parts.config.run.dry_run,
        )
        return (
            *gate.account_predicates(account, self._parts.config.timing, self._parts.config.limits),
            self._parts.full.predicate(now),
            self._parts.approvals.predicate(now),
        )

    def _slow_ledger(self, now: Instant) -> str:
        """Say for how long a commit has been under way; empty while that is not long."""
        slow_ns = self._parts.journaling.slow_ns(now)
        if slow_ns < SLOW_NS:
            return ""
        return f"a commit has been under way for {slow_ns // NS_PER_MS} ms"

    def narrow_predicates(
        self, market: ConditionId, token: TokenId, strategy: StrategyName, now: Instant
    ) -> tuple[Predicate, ...]:
        """Return what must hold for an order of a strategy in a token of a market."""
        config, scopes = self._parts.config, self._parts.standing.scopes
        return (
            *gate.market_predicates(
                market,
                self._parts.inputs,
                scopes,
                config.timing,
                config.markets.calendar_stale_ms,
                now,
                self._parts.standing.trading_state,
            ),
            *self._access_predicates(self._parts.inputs.market(market), now),
            *gate.token_predicates(token, self._parts.inputs, scopes, config.timing, now),
            *gate.strategy_predicates(strategy, scopes, self._parts.standing.trading_state),
            self._throttle(strategy, now),
        )

    def _access_predicates(self, info: MarketInfo | None, now: Instant) -> tuple[Predicate, ...]:
        """Return whether the venue restricts a market for us."""
        return access_predicates(info, self._parts.inputs.place, self._parts.config.access, now)

    def pong(self, now: Instant) -> ExecutionPong:
        """Return execution's part of a pong; the lease is asked for from this instant."""
        parts = self._parts
        unresolved, until_ns = parts.register.unresolved(now.boot_ns)
        return ExecutionPong(
            asked_ns=now.boot_ns,
            ledger_epoch=parts.standing.epoch,
            proven_start=parts.startup.is_proven,
            start_state=self.start_missing(),
            self_fenced=parts.self_fence.fenced,
            fence_answer=parts.answers.answer,
            carried=tuple((*key, number) for key, number in parts.standing.carried.items()),
            open_orders=parts.register.count("LIVE", "PARTLY_FILLED"),
            in_flight=parts.register.count("INTENDED", "SUBMITTED"),
            unresolved=unresolved,
            unresolved_until_ns=until_ns,
            mismatch=parts.full.agreement.mismatch(),
            restricted=parts.desk.phase.restriction.told(),
            venue_mode=parts.desk.phase.refuses_everybody(now.boot_ns, now.wall_ns),
            ledger_fault=parts.journaling.fault,
        )

    def _throttle(self, strategy: StrategyName, now: Instant) -> Predicate:
        """KS-13: a strategy may have so many orders and fills in a window."""
        excess = self._parts.desk.throttle.excess(strategy, now)
        return Predicate("repeated_execution", not excess, True, excess)

    def start_missing(self) -> str:
        """Say what the start still waits for; empty once it is proven."""
        return self._parts.startup.missing(*self._start_waits())

    def _start_waits(self, now: Instant | None = None) -> tuple[int, str, str, str]:
        """Return the orders in doubt, and what zero, positions and approvals wait for."""
        doubts = self._parts.register.count("INTENDED", "SUBMITTED", "UNKNOWN")
        zeroing = self._parts.zeroing
        cause = zeroing.cause if zeroing is not None else ""
        if zeroing is not None and now is not None:
            cause = f"{cause}: {zeroing.waits_for(now)}"
        return doubts, cause, self._parts.full.trouble(), self._parts.approvals.unread()

    def status_fact(self, now: Instant) -> Publish:
        """Return what execution says of itself every 100 ms."""
        failing = first_failing(self.account_predicates(now), reduce_only=False)
        state = (
            self._parts.standing.trading_state if self._parts.standing.is_leased(now) else "PAUSED"
        )
        fact = ExecutionStatus(
            trading_state="ACTIVE" if failing is None else "PAUSED" if state == "ACTIVE" else state,
            cause="" if failing is None else f"{failing.name} {failing.value}".rstrip(),
            epoch=self._parts.standing.epoch,
            lease_until_ns=self._parts.standing.until_ns,
            open_orders=self._parts.register.count("LIVE", "PARTLY_FILLED"),
            in_flight=self._parts.register.count("INTENDED", "SUBMITTED"),
            unknown=self._parts.register.count("UNKNOWN"),
            proven_start=self._parts.startup.is_proven,
            reconciled_ns=self._parts.sync.reconciled_ns,
            refusals=reporting.refusals(self._parts.desk),
            dry_run=self._parts.config.run.dry_run,
            start=self._parts.startup.stages(*self._start_waits(now), now),
            agreed_ns=self._parts.full.agreed_monotonic_ns(now),
            mismatch=self._parts.full.agreement.text,
            rate_tier=self._parts.rates.tier.name,
            posts_left=self._parts.rates.posts_left(now.boot_ns),
            cancels_left=self._parts.rates.cancels_left(now.boot_ns),
            cancels_spent=self._parts.rates.cancels_spent,
            losses=self._parts.losses.figures(now, self._parts.desk.throttle.excesses(now)),
        )
        return Publish("execution.status", fact, now.monotonic_ns)

    def explanations(self, now: Instant) -> Publish:
        """Return every predicate of the gate, for people."""
        config, scopes = self._parts.config, self._parts.standing.scopes

        def predicates_of(info: MarketInfo) -> tuple[Predicate, ...]:
            stale_ms = config.markets.calendar_stale_ms
            tokens = tuple(
                predicate
                for token in info.tokens
                for predicate in gate.token_predicates(
                    token, self._parts.inputs, scopes, config.timing, now
                )
            )
            market = gate.market_predicates(
                info.condition_id, self._parts.inputs, scopes, config.timing, stale_ms, now
            )
            access = self._access_predicates(info, now)
            approvals = self._parts.approvals.market_predicates(info, now)
            return (*market, *access, *approvals, *tokens)

        return reporting.explanations(
            self.account_predicates(now),
            self._parts.inputs.markets(),
            predicates_of,
            self._parts.desk,
            now,
        )
