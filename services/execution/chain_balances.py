"""What the chain says we hold of a token: the newest reading of each, and whether it counts.

A reading is unknown until it is made, after one that failed, once it is old, and once a
trade of the token has moved on since it was sent: it may or may not contain that trade.
Decides nothing; reads nothing.
"""

from typing import Final

import msgspec

from shared.identifiers import TokenId
from shared.units import NS_PER_S, BootNs, SizeE6

FRESH_NS: Final = 60 * NS_PER_S
"""Older readings are shown with their age and limit nothing: shares move without us too."""

TOKENS_MAX: Final = 4_096
"""Readings kept; the oldest goes first. Two tokens of each of a week's five-minute windows."""


class ChainReading(msgspec.Struct, frozen=True):
    """The account's whole balance of one token, over all strategies.

    Attributes:
        read_ns: When the question was sent.
    """

    balance_e6: SizeE6
    read_ns: BootNs


class ChainBalances:
    """The newest reading of each token."""

    def __init__(self) -> None:
        """Begin with everything unknown."""
        self._readings: dict[TokenId, ChainReading] = {}
        self._moved: dict[TokenId, BootNs] = {}

    def take(self, token: TokenId, balance_e6: int | None, read_ns: BootNs) -> None:
        """Take a reading; None for one that said nothing, which makes the balance unknown.

        An answer to an older question than the newest is no news.
        """
        known = self._readings.get(token)
        if known is not None and read_ns < known.read_ns:
            return
        self._readings.pop(token, None)
        if balance_e6 is None:
            return
        if len(self._readings) >= TOKENS_MAX:
            self._readings.pop(next(iter(self._readings)))
        self._readings[token] = ChainReading(SizeE6(balance_e6), read_ns)

    def move(self, token: TokenId, now_ns: BootNs) -> None:
        """Note that a trade of a token is new or has moved on: earlier readings are outdated."""
        self._moved.pop(token, None)
        if len(self._moved) >= TOKENS_MAX:
            self._moved.pop(next(iter(self._moved)))
        self._moved[token] = now_ns

    def newest(self, token: TokenId) -> ChainReading | None:
        """Return the newest reading, however old, to be shown with its age."""
        return self._readings.get(token)

    def fresh_e6(self, token: TokenId, now_ns: BootNs) -> SizeE6 | None:
        """Return a balance that limits may rest on; None when it is not known so well."""
        reading = self._readings.get(token)
        if reading is None or now_ns - reading.read_ns >= FRESH_NS:
            return None
        if reading.read_ns <= self._moved.get(token, BootNs(-1)):
            return None
        return reading.balance_e6
