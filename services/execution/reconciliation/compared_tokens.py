"""Which tokens a full reconciliation compares: of running markets, and what is held of others.

A market that has ended without a known winner still owes us its shares. The venue pays them
out a moment before anybody is told: nothing left of them is no difference then, but any other
number is. Sends nothing, judges no number.
"""

from collections.abc import Iterable
from typing import Final

from services.execution.positions import Positions
from shared.facts import MarketInfo
from shared.identifiers import TokenId
from shared.units import Instant

TOKENS_MAX: Final = 256
"""Tokens of one round: eight assets with sixteen open windows each."""

ENDED_TOKENS_MAX: Final = 64
"""Of those, tokens of markets that have ended: half an hour of eight assets' shortest windows, and
few enough that a round is read in its time."""


def compared_tokens(
    markets: Iterable[MarketInfo], positions: Positions, now: Instant
) -> dict[TokenId, MarketInfo]:
    """Return the tokens of one round: running markets first, then held ones, oldest last.

    Args:
        markets: Of the calendar, which names every market that we hold shares of.
        positions: What we hold; what was paid out is held no more.
        now: Of the round's beginning.
    """
    undecided = [market for market in markets if market.winner is None]
    running = [market for market in undecided if not has_ended(market, now)]
    ended = sorted(
        (market for market in undecided if has_ended(market, now)),
        key=lambda market: market.end_ms,
        reverse=True,
    )
    tokens = {token: market for market in running for token in market.tokens}
    held = [(token, market) for market in ended for token in market.tokens]
    held = [(token, market) for token, market in held if _is_held(token, positions)]
    tokens = dict(list(tokens.items())[:TOKENS_MAX])
    room = min(ENDED_TOKENS_MAX, TOKENS_MAX - len(tokens))
    return tokens | dict(held[:room])


def has_ended(market: MarketInfo, now: Instant) -> bool:
    """Whether nothing can be traded in a market any more, so that its shares may be paid out."""
    return market.closed or now.wall_ms >= market.end_ms


def _is_held(token: TokenId, positions: Positions) -> bool:
    position = positions.of_token(token)
    return bool(position.matched_e6 or position.most_e6)
