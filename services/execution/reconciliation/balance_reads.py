"""Reading what the wallet holds of tokens, from the venue and the chain, a few at a time.

A read that fails or cannot be understood says nothing: its balance is None, never zero
(EX-22). An update asks the venue to read the chain anew; its answer is no evidence.
"""

from typing import Final

import msgspec

from services.execution.requests import BalanceAsk, Requests
from shared.effects import Effect, HttpFailed, HttpReply
from shared.facts import MarketVersion
from shared.identifiers import TokenId
from shared.units import NS_PER_MS, BootNs, Instant, SizeE6
from shared.venue.balances import (
    BALANCE_PATH,
    UPDATE_PATH,
    balance_query,
    chain_call,
    parse_balance,
    parse_chain,
)
from shared.venue.faults import WireFault

UNDER_WAY_MAX: Final = 2
"""Of the four connections for reads: open orders and trades never wait behind balances."""

RETRY_NS: Final = 500 * NS_PER_MS
"""After a question that brought nothing; the venue takes 200 reads and 50 updates in 10 s."""

OK: Final = 200


class BalanceRead(msgspec.Struct, frozen=True):
    """One answer after one token.

    Attributes:
        sent_ns: When the first byte of the question was written.
        is_update: Whether it was an update; is_chain: whether a node answered, not the venue.
        balance_e6: None when nobody said.
        trouble: Why nobody said; empty when somebody did.
    """

    token: TokenId
    sent_ns: BootNs
    answered_ns: BootNs
    is_update: bool
    balance_e6: SizeE6 | None
    trouble: str = ""
    is_chain: bool = False


class BalanceReads:
    """The questions under way to one of both.

    Attributes:
        trouble: Why the newest question brought nothing; empty when it brought something.
    """

    def __init__(self, requests: Requests, deadline_ms: int) -> None:
        """Begin with none under way."""
        self._requests = requests
        self._deadline_ms = deadline_ms
        self._under_way: set[TokenId] = set()
        self._after_ns = BootNs(0)
        self.trouble = ""

    def may_ask(self, token: TokenId, now: Instant) -> bool:
        """Whether a token can be asked for now."""
        is_free = len(self._under_way) < UNDER_WAY_MAX and token not in self._under_way
        return is_free and now.boot_ns >= self._after_ns

    def ask(
        self,
        token: TokenId,
        version: MarketVersion,
        signature_type: int,
        now: Instant,
        *,
        is_update: bool,
    ) -> Effect:
        """Ask for one token's balance, or for the chain to be read anew."""
        self._under_way.add(token)
        path = UPDATE_PATH if is_update else BALANCE_PATH
        return self._requests.read(
            BalanceAsk(token, is_update),
            path + balance_query(token, version, signature_type),
            self._deadline_ms,
            now.boot_ns,
        )

    def call(
        self, token: TokenId, version: MarketVersion, wallet: str, path: str, now: Instant
    ) -> Effect:
        """Ask a node of the chain for one token's balance."""
        self._under_way.add(token)
        ask = BalanceAsk(token, is_chain=True)
        body = chain_call(token, version, wallet)
        return self._requests.call(ask, path, body, self._deadline_ms, now.boot_ns)

    def replied(self, ask: BalanceAsk, reply: HttpReply, now: Instant) -> BalanceRead:
        """Take an answer."""
        if reply.status != OK:
            return self._nothing(ask, reply.sent_ns, f"answered by {reply.status}", now)
        balance_e6: SizeE6 | None = None
        if not ask.is_update:
            try:
                balance_e6 = (parse_chain if ask.is_chain else parse_balance)(reply.body)
            except WireFault as fault:
                return self._nothing(ask, reply.sent_ns, f"unreadable: {fault}", now)
        self._under_way.discard(ask.token)
        self.trouble = ""
        return BalanceRead(
            ask.token,
            reply.sent_ns,
            now.boot_ns,
            ask.is_update,
            balance_e6,
            is_chain=ask.is_chain,
        )

    def failed(self, ask: BalanceAsk, failure: HttpFailed, now: Instant) -> BalanceRead:
        """Take the lack of an answer."""
        return self._nothing(ask, failure.sent_ns, failure.reason, now)

    def _nothing(self, ask: BalanceAsk, sent_ns: BootNs, trouble: str, now: Instant) -> BalanceRead:
        self._under_way.discard(ask.token)
        self._after_ns = BootNs(now.boot_ns + RETRY_NS)
        self.trouble = trouble
        return BalanceRead(
            ask.token, sent_ns, now.boot_ns, ask.is_update, None, trouble, ask.is_chain
        )
