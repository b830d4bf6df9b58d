"""What differs from socket to socket, and how long to wait after each kind of loss.

Source of the pauses: reconnect at once, then after 1, 2, 4, 8 s, doubling to 60 s, with
jitter up to half. Source of close codes 4001, 4003 and 4008, of the drain pause and of handshakes
refused with 429 or 503 and Retry-After:
https://docs.polymarket.com/api-reference/live-data/overview (2026-09-28).
"""

import msgspec

from services.feed.chance import Chance
from shared.effects import StreamClosed
from shared.units import NS_PER_S

PAUSES_S = (0, 1, 2, 4, 8, 16, 32, 60)
"""Pause before the n-th attempt after a loss; the last one repeats for ever."""

PING_EVERY_NS = 5 * NS_PER_S
"""Of sockets that answer: the venue asks for at most 10 s, and a pong is the sooner missed.
Source: https://docs.polymarket.com/market-data/realtime-data (2026-09-28), requirement NET-1."""

DATA_IDLE_NS = 30 * NS_PER_S
"""Neither data nor an agreeing witness for so long: pongs alone show nothing.
Source: https://github.com/nautechsystems/nautilus_trader/issues/3908."""

CODE_DRAINING = 4003
DRAIN_PAUSE_NS = 10 * NS_PER_S

CODES_BARRED = (1008, 4001, 4008)
"""Policy (RFC 6455, section 7.4.1), authentication, and the venue's own code of policy."""

STATUSES_BARRED = (401, 403, 407, 451)
"""Of the upgrade: credentials, address, country. Others may pass by themselves."""

BARRED_NS = 300 * NS_PER_S
"""Wrong credentials and broken rules do not get better by haste, and eight attempts in a row are
themselves a reason to be refused: so long nothing is tried, unless the credentials change."""

RETRY_AFTER_S_MAX = 300
"""Longest wait that a refusal may ask for; what asks for more is tried again all the same."""


class ConnectionRules(msgspec.Struct, frozen=True):
    """What differs from socket to socket.

    Attributes:
        name: Prefix of the stream names.
        url: Where it is; alternatives: tried in turn while the one before cannot be reached.
        ping_text: What to send as application ping; empty for none.
        ping_every_ns: Between two pings.
        answers_pings: Whether pongs come at all; where none do, the connection is judged by data.
        pong_suspect_ns: A pong later than this makes the connection suspect.
        pong_missed_max: Pings in a row without any pong, after which it is lost.
        data_idle_ns: Nothing that shows life for so long, after which it is lost whatever its
            pongs say; 0 where the owner judges that.
        open_ns_max: Deadline of the handshake. The edge has its own of 5 s and knows at which
            step it stood; this one is for an edge that never answers.
    """

    name: str
    url: str
    ping_text: str
    ping_every_ns: int
    pong_suspect_ns: int = NS_PER_S
    pong_missed_max: int = 3
    open_ns_max: int = 6 * NS_PER_S
    alternatives: tuple[str, ...] = ()
    answers_pings: bool = True
    data_idle_ns: int = 0

    @property
    def urls(self) -> tuple[str, ...]:
        """Every endpoint in the order in which they are tried."""
        return (self.url, *self.alternatives)


def is_barring(closed: StreamClosed) -> bool:
    """Tell whether the venue refuses for good what it was asked."""
    return closed.code in CODES_BARRED or closed.status in STATUSES_BARRED


def pause_ns(failures: int, closed: StreamClosed | None, chance: Chance) -> int:
    """Return how long to wait before the next attempt.

    Args:
        failures: Attempts in a row that did not become stable, before this one.
        closed: How the venue or the network ended it; None when we gave it up ourselves.
        chance: Of the jitter.
    """
    if closed is not None and closed.code == CODE_DRAINING:
        return chance.below(DRAIN_PAUSE_NS)
    pause = PAUSES_S[min(failures, len(PAUSES_S) - 1)] * NS_PER_S
    if closed is not None and closed.retry_after_s is not None:
        pause = max(pause, min(closed.retry_after_s, RETRY_AFTER_S_MAX) * NS_PER_S)
    return pause + chance.below(pause // 2)


def barred_ns(chance: Chance) -> int:
    """Return how long nothing is tried after the venue has refused for good."""
    return BARRED_NS + chance.below(BARRED_NS // 2)
