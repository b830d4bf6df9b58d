"""What we hold and have out, at its worst: for caps the most, for exits the least.

Every order may fill wholly or not at all, one that ended unseen may have filled before,
every trade without an end may fail or settle, and the chain may know better than we do.
Reads the register and the positions and changes nothing. A strategy sells its own shares
only, and never more than the account has left (EX-17, EX-20, EX-23).
"""

from services.execution.inputs import Inputs
from services.execution.lifecycle import Order
from services.execution.order_checks import (
    Candidate,
    Load,
    OwnQuote,
    Place,
    cost_most_e6,
    worst_unpaired_e6,
)
from services.execution.order_register import OrderRegister
from services.execution.position import Key
from services.execution.positions import Positions
from shared.config import LimitSettings
from shared.facts import MarketInfo
from shared.identifiers import ConditionId, StrategyName, TokenId
from shared.ledger_schema import OrderRecord
from shared.units import BootNs, Instant, MoneyE6, SizeE6

FEE_RATE_WORST_E6 = 70_000
"""The highest rate of any category, taken where a market's own is not known.
Source: https://docs.polymarket.com/trading/fees (2026-09-28)."""


PLACES = ("market", "asset", "strategy", "account")
"""Where caps may be narrower than the account's exposure, narrowest first."""


class Inventory:
    """The sums that limits rest on."""

    def __init__(
        self,
        register: OrderRegister,
        positions: Positions,
        inputs: Inputs,
        limits: LimitSettings | None = None,
    ) -> None:
        """Look at these; the limits say which places have bounds of their own."""
        self._bounds = () if limits is None else _bounds(limits)
        self._register = register
        self._positions = positions
        self._inputs = inputs

    def load(self, candidate: Candidate, exposed_max: int, now: Instant) -> Load:
        """Return what a candidate is judged against, worst case, without the candidate.

        Args:
            candidate: Of one token and strategy.
            exposed_max: Orders that the cancels at hand can take out, less a reserve.
            now: Present moment.
        """
        info, token, register = candidate.market, candidate.target.token, self._register
        other = info.tokens[1] if token == info.tokens[0] else info.tokens[0]
        most, least = self.extremes_e6(token, now.boot_ns)
        other_most, other_least = self.extremes_e6(other, now.boot_ns)
        return Load(
            outcome_e6=most,
            outcome_least_e6=least,
            complement_e6=other_least,
            complement_most_e6=other_most,
            unpaired_elsewhere_e6=self._unpaired_e6(info.condition_id, now.boot_ns),
            exposure_e6=self.exposure_e6(),
            available_e6=self.available_e6(
                info.condition_id, token, candidate.strategy, now.boot_ns
            ),
            exposed_count=len(register.exposed()),
            exposed_max=exposed_max,
            own_quotes=tuple(
                OwnQuote(order.record.token, order.record.side, order.record.price_e4)
                for order in register.exposed()
                if order.record.market == info.condition_id
            ),
            places=self._places(info, candidate.strategy) if self._bounds else (),
        )

    def _places(self, info: MarketInfo, strategy: StrategyName) -> tuple[Place, ...]:
        """Return what the places of a candidate bind at worst, without the candidate.

        A market that discovery does not vouch for any more may be of any asset.
        """
        shares, exposure = dict.fromkeys(PLACES, 0), dict.fromkeys(PLACES, 0)
        bound = [
            (key[0], key[2], position.most_e6, max(0, position.cost_most_e6))
            for key, position in self._positions.worst()
        ]
        bound += [
            (
                order.record.market,
                order.record.strategy,
                order.outstanding_e6,
                self._cost_most_e6(order.record, order.outstanding_e6),
            )
            for order in self._register.outstanding()
            if order.record.side == "BUY" and order.outstanding_e6
            if not self._positions.is_resolved(order.record.market)
        ]
        for market, owner, size, cost in bound:
            known = self._inputs.market(market)
            is_here = {
                "market": market == info.condition_id,
                "asset": known is None or known.asset == info.asset,
                "strategy": owner == strategy,
                "account": True,
            }
            for name in PLACES:
                if is_here[name]:
                    shares[name] += size
                    exposure[name] += cost
        return tuple(
            Place(name, shares[name], exposure[name], shares_max, exposure_max)
            for name, shares_max, exposure_max in self._bounds
        )

    def extremes_e6(self, token: TokenId, now_ns: BootNs) -> tuple[int, int]:
        """Return the most and the least of a token that the account can come to hold.

        The most: every buy fills and settles, no sell fills, unsettled sells fail. The least:
        only what is confirmed stays, every sell fills, no buy does. A fresh reading of the
        chain widens both, never narrows them.
        """
        most, least = self._held_e6(token, now_ns)
        bought = self._register.outstanding_e6(token, "BUY")
        sold = self._register.outstanding_e6(token, "SELL")
        return most + bought, least - sold

    def available_e6(
        self, market: ConditionId, token: TokenId, strategy: StrategyName, now_ns: BootNs
    ) -> int:
        """Return what a strategy may still offer: its confirmed shares less its sells.

        Never more than the account has left after the sells of all, strangers' included.
        """
        own = self._positions.of(market, token, strategy).confirmed_e6
        own -= self._register.outstanding_e6(token, "SELL", strategy)
        return min(own, self.extremes_e6(token, now_ns)[1])

    def overdrawn(self, now_ns: BootNs) -> tuple[Order, ...]:
        """Return the sells, newest first to go, that offer more than there is to sell.

        A position shrinks under a resting sell when a trade fails, or when the chain shows
        less than we knew of.
        """
        sells = [o for o in self._register.outstanding() if o.record.side == "SELL"]
        own: dict[Key, int] = {}
        account: dict[TokenId, int] = {}
        excessive: list[Order] = []
        for order in sorted(sells, key=lambda one: one.record.created_wall_ns):
            record = order.record
            key = (record.market, record.token, record.strategy)
            if key not in own:
                own[key] = self._positions.of(*key).confirmed_e6
            if record.token not in account:
                account[record.token] = self._held_e6(record.token, now_ns)[1]
            own[key] -= order.outstanding_e6
            account[record.token] -= order.outstanding_e6
            if order.is_exposed and min(own[key], account[record.token]) < 0:
                excessive.append(order)
        return tuple(excessive)

    def exposure_e6(self) -> MoneyE6:
        """Return the most money that all positions and buys can come to bind."""
        bought = sum(
            self._cost_most_e6(order.record, size)
            for order in self._register.outstanding()
            if order.record.side == "BUY" and (size := order.outstanding_e6)
            if not self._positions.is_resolved(order.record.market)
        )
        return MoneyE6(self._positions.cost_most_e6() + bought)

    def unpaired_held_e6(self) -> int:
        """Return the shares held without their complement, over all markets (KS-6)."""
        total = 0
        for tokens in self._tokens().values():
            held = [self._positions.matched_e6(token) for token in tokens]
            total += abs(held[0] - sum(held[1:]))
        return total

    def _held_e6(self, token: TokenId, now_ns: BootNs) -> tuple[int, int]:
        """Return the most and the least that is held of a token, before any order of ours."""
        held = self._positions.of_token(token)
        on_chain = self._positions.chain.fresh_e6(token, now_ns)
        if on_chain is None:
            return held.most_e6, held.confirmed_e6
        least = min(held.confirmed_e6, on_chain - held.unmined_sold_e6)
        return max(held.most_e6, on_chain), least

    def _unpaired_e6(self, except_market: ConditionId, now_ns: BootNs) -> int:
        """Return the worst unpaired shares over all markets but one."""
        total = 0
        for market, tokens in self._tokens().items():
            if market == except_market:
                continue
            extremes = [self.extremes_e6(token, now_ns) for token in tokens]
            total += worst_unpaired_e6(extremes[0], extremes[1] if extremes[1:] else (0, 0))
        return total

    def _tokens(self) -> dict[ConditionId, tuple[TokenId, ...]]:
        """Return both tokens of every market of the calendar, and those known of every other.

        A market that has left the calendar still counts with all that we hold and have out.
        """
        found = {info.condition_id: info.tokens for info in self._inputs.markets()}
        others: dict[ConditionId, set[TokenId]] = {}
        for order in self._register.outstanding():
            if order.record.market not in found:
                others.setdefault(order.record.market, set()).add(order.record.token)
        for market in self._positions.markets() - found.keys():
            others.setdefault(market, set()).update(self._positions.tokens_of(market))
        return {**found, **{market: tuple(sorted(tokens)) for market, tokens in others.items()}}

    def _cost_most_e6(self, record: OrderRecord, size: SizeE6) -> MoneyE6:
        """Return what a buy of ours can still cost."""
        info = self._inputs.market(record.market)
        rate = FEE_RATE_WORST_E6 if info is None else info.fee_rate_e6
        return cost_most_e6(record.price_e4, size, post_only=record.post_only, fee_rate_e6=rate)


def _bounds(limits: LimitSettings) -> tuple[tuple[str, int, int], ...]:
    """Return each place that has a bound of its own: name, shares, USD."""
    found = (
        ("market", limits.shares_per_market_max, limits.exposure_per_market_usd_max),
        ("asset", limits.shares_per_asset_max, limits.exposure_per_asset_usd_max),
        ("strategy", limits.shares_per_strategy_max, limits.exposure_per_strategy_usd_max),
        ("account", limits.shares_account_max, 0),
    )
    return tuple(place for place in found if place[1] or place[2])
