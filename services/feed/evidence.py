"""What shows that each stream inside a feed is right, and when it last did.

A key (a token, an asset, the own orders) is evident when its data advanced or when a
witness agreed; a connection that is merely open, and a pong, show nothing. Holds stamps;
decides nothing about what follows from an old one: the readers of the status do.

Source: streams that stall while the socket answers pongs, and single assets that stop while
others go on (https://github.com/nautechsystems/nautilus_trader/issues/4901).
"""

from collections.abc import Iterable

from services.feed.cadence import Cadence
from shared.facts import Evidence
from shared.units import MonotonicNs

KEYS_MAX = 4_096
"""All tokens that the connections of the market feed may carry, and some."""


class EvidenceBoard:
    """The newest evidence of every key that is watched."""

    def __init__(self, cadence: Cadence | None = None) -> None:
        """Watch nothing yet.

        Args:
            cadence: Told the gaps between proofs; None where nobody judges them.
        """
        self._cadence = cadence
        self._evident: dict[str, MonotonicNs | None] = {}
        self._watched_since: dict[str, MonotonicNs] = {}
        self._interrupted: set[str] = set()

    def watch(self, keys: Iterable[str], now_ns: MonotonicNs) -> None:
        """Watch exactly these keys; what is known of kept ones stays."""
        wanted = list(dict.fromkeys(keys))
        assert len(wanted) <= KEYS_MAX
        self._evident = {key: self._evident.get(key) for key in wanted}
        self._watched_since = {key: self._watched_since.get(key, now_ns) for key in wanted}
        self._interrupted &= self._evident.keys()

    def prove(self, key: str, at_ns: MonotonicNs) -> None:
        """Note evidence for a key; an older one than known, or an unwatched key, changes nothing.

        Args:
            key: Token id, asset, or `orders`.
            at_ns: When data reached the edge, or when the witness was asked.
        """
        known = self._evident.get(key)
        if known is None:
            if key in self._evident:
                self._evident[key] = at_ns
        elif at_ns > known:
            self._evident[key] = at_ns
            if key in self._interrupted:
                self._interrupted.remove(key)
            elif self._cadence is not None:
                self._cadence.note(at_ns - known)

    def interrupt(self, keys: Iterable[str]) -> None:
        """Note that these keys were cut off: the time to their next proof is an outage."""
        self._interrupted.update(key for key in keys if key in self._evident)

    def silent_since(self, key: str) -> MonotonicNs:
        """Return since when a watched key has been without evidence."""
        evident = self._evident[key]
        return self._watched_since[key] if evident is None else evident

    def is_watched(self, key: str) -> bool:
        """Tell whether a key is watched."""
        return key in self._evident

    def keys(self) -> tuple[str, ...]:
        """Return the watched keys in their order."""
        return tuple(self._evident)

    def entries(self) -> tuple[Evidence, ...]:
        """Return what the feed's status says."""
        return tuple(Evidence(key, at_ns) for key, at_ns in self._evident.items())
