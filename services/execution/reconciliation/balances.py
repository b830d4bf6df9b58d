"""The balances of a round: who is asked for them, and whose word counts.

The venue is asked for each token. Where a node of the chain is configured it is asked too,
and its word counts, since the venue's is a cache; a node that keeps failing is given up for
the round, and then the venue's word counts as without one.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from services.execution.order_register import OrderRegister
from services.execution.positions import Positions
from services.execution.reconciliation.agreement import Difference
from services.execution.reconciliation.balance_reads import BalanceRead, BalanceReads
from services.execution.reconciliation.position_comparison import PositionComparison, Verdict
from services.execution.reconciliation.reconcile import Reconciler
from services.execution.requests import BalanceAsk, Requests
from shared.config import Config
from shared.effects import Effect, HttpFailed, HttpReply
from shared.facts import MarketInfo
from shared.identifiers import TokenId
from shared.units import BootNs, Instant

NODE_FAILS_MAX: Final = 3
"""Questions of one round that the node may leave without an answer."""


class Balances:
    """The newest balances, from both.

    Attributes:
        wallet: Whose, lower case; signature_type: of its orders.
    """

    def __init__(
        self,
        config: Config,
        requests: Requests,
        positions: Positions,
        register: OrderRegister,
        reconciler: Reconciler,
        now: Instant,
    ) -> None:
        """Begin with none known; whoever asks sets the wallet first."""

        def comparison(*, is_cached: bool) -> PositionComparison:
            return PositionComparison(
                positions,
                register,
                reconciler.changed_ns,
                grace_ms=config.timing.mismatch_grace_ms,
                tolerance_e6=config.limits.position_mismatch_e6_max,
                born_ns=now.boot_ns,
                is_cached=is_cached,
            )

        deadline_ms = config.timing.read_deadline_ms
        self._positions = positions
        self._venue = comparison(is_cached=True)
        self._chain = comparison(is_cached=False)
        self._venue_reads = BalanceReads(requests, deadline_ms)
        self._chain_reads = BalanceReads(requests, deadline_ms)
        self._node_path = _path_of(config.venue.rpc_url)
        self._node_fails = 0
        self._updated: set[TokenId] = set()
        self.wallet = ""
        self.signature_type = 0

    @property
    def trouble(self) -> str:
        """Why the newest question brought nothing; empty when it brought something."""
        return self._venue_reads.trouble or (self._chain_reads.trouble if self._has_node else "")

    def begin(self, tokens: frozenset[TokenId]) -> None:
        """Begin a round over these tokens; the node is tried again."""
        self._node_fails = 0
        self._updated.clear()
        self._venue.forget(tokens)
        self._chain.forget(tokens)

    def ask(
        self, tokens: Mapping[TokenId, MarketInfo], since_ns: BootNs, now: Instant
    ) -> list[Effect]:
        """Ask for what is not read since a moment, and have doubted balances read anew."""
        effects: list[Effect] = []
        for token, market in tokens.items():
            if self._venue_reads.may_ask(token, now):
                effects += self._ask_venue(token, market, since_ns, now)
            is_unread = self._chain.verdict(token, since_ns) == "unread"
            if self._has_node and is_unread and self._chain_reads.may_ask(token, now):
                path = self._node_path
                effects.append(
                    self._chain_reads.call(token, market.version, self.wallet, path, now)
                )
        return effects

    def replied(self, ask: BalanceAsk, reply: HttpReply, now: Instant) -> None:
        """Take an answer."""
        reads = self._chain_reads if ask.is_chain else self._venue_reads
        self._take(reads.replied(ask, reply, now))

    def failed(self, ask: BalanceAsk, failure: HttpFailed, now: Instant) -> None:
        """Take the lack of an answer."""
        reads = self._chain_reads if ask.is_chain else self._venue_reads
        self._take(reads.failed(ask, failure, now))

    def verdict(self, token: TokenId, since_ns: BootNs) -> Verdict:
        """Return whether a token agrees, as far as was read since a moment."""
        venue = self._venue.verdict(token, since_ns)
        if not self._has_node:
            return venue
        chain = self._chain.verdict(token, since_ns)
        return "unread" if venue == "unread" else chain

    def surplus_e6(self, token: TokenId) -> int:
        """Return by how much a differing balance is above (or below) what it may be."""
        return self._judge.surplus_e6(token)

    def is_gone(self, token: TokenId) -> bool:
        """Whether the newest balance of a token is nothing, though we count shares of it."""
        return self._judge.is_gone(token)

    def difference(self, token: TokenId) -> Difference:
        """Return a differing token with both numbers."""
        return self._judge.difference(token)

    @property
    def _has_node(self) -> bool:
        return bool(self._node_path) and self._node_fails < NODE_FAILS_MAX

    @property
    def _judge(self) -> PositionComparison:
        return self._chain if self._has_node else self._venue

    def _ask_venue(
        self, token: TokenId, market: MarketInfo, since_ns: BootNs, now: Instant
    ) -> list[Effect]:
        """Ask the venue, once a round after it has been asked to read the chain anew."""
        is_update = token not in self._updated and self._venue.wants_update(token, now.boot_ns)
        if is_update:
            self._updated.add(token)
        if not is_update and self._venue.verdict(token, since_ns) != "unread":
            return []
        asked = self._venue_reads.ask(
            token, market.version, self.signature_type, now, is_update=is_update
        )
        return [asked]

    def _take(self, read: BalanceRead) -> None:
        """Compare an answer, and tell the positions what is proven to be held."""
        if read.is_chain and read.balance_e6 is None:
            self._node_fails += 1
        source = self._chain if read.is_chain else self._venue
        source.take(read)
        if not read.is_update and source is self._judge:
            proven_e6 = None if read.trouble else source.proven_e6(read.token)
            self._positions.take_chain(read.token, proven_e6, read.sent_ns)


def _path_of(url: str) -> str:
    """Return what a request to a node names as its target; empty for no node."""
    if not url:
        return ""
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
