"""What sources of time say of the host's clock, and what can be believed of it.

A reading is an interval: the true time minus ours lies between its ends if its source is right.
A source that is wrong is told from those that are right by Marzullo's rule: the offset that lies
in the most intervals counts when more than half of the sources share it. One source that answers
is a majority of one; two that disagree are none, unless the venue's own time agrees with one.

Source: RFC 5905, section 11.2.1 (selection by intersection), and K. Marzullo, "Maintaining the
Time in a Distributed System", 1984.
"""

from collections.abc import Sequence

import msgspec

from shared.effects import Message


class TimeReading(msgspec.Struct, frozen=True):
    """One answer of one source.

    Attributes:
        source: Name for people.
        low_ns: True time minus ours is at least this; negative when our clock is ahead.
        high_ns: And at most this.
        is_venue: Whether it is the venue's server time, which comes in whole seconds.
    """

    source: str
    low_ns: int
    high_ns: int
    is_venue: bool = False


class TimeTold(Message, frozen=True):
    """A source has answered."""

    reading: TimeReading


class TimeSilent(Message, frozen=True):
    """A source has not answered in time, or not as a source of time does."""

    source: str
    why: str
    is_venue: bool = False


class Agreement(msgspec.Struct, frozen=True):
    """What more than half of the sources share.

    Attributes:
        low_ns: Ends of what they share.
        outsiders: Sources that say something else.
    """

    low_ns: int
    high_ns: int
    outsiders: tuple[str, ...]

    @property
    def offset_ns(self) -> int:
        """The middle of what is shared: true time minus ours."""
        return (self.low_ns + self.high_ns) // 2


def agree(readings: Sequence[TimeReading]) -> Agreement | None:
    """Return what a majority of readings shares, None when there is no such thing."""
    best, shared = 0, (0, 0)
    for candidate in readings:
        # The offset in the most intervals can always be chosen as the low end of one of them.
        holding = [one for one in readings if one.low_ns <= candidate.low_ns <= one.high_ns]
        if len(holding) > best:
            best = len(holding)
            shared = (candidate.low_ns, min(one.high_ns for one in holding))
    if 2 * best <= len(readings):
        return None
    outsiders = tuple(one.source for one in readings if not one.low_ns <= shared[0] <= one.high_ns)
    return Agreement(shared[0], shared[1], outsiders)
