"""Both price sockets, the present one and the older one, as one to whoever drives them."""

from collections.abc import Iterator

from services.simulator.edge import StreamKind
from services.simulator.faults.switches import Faults
from services.simulator.keys import Keys
from services.simulator.oracles.oracle import Oracle, Tick
from services.simulator.price_sockets.rtds import Rtds
from services.simulator.price_sockets.stream import PriceStream
from shared.effects import Effect
from shared.identifiers import Asset
from shared.units import Instant

KINDS: tuple[StreamKind, ...] = ("price", "rtds")


class PriceSockets:
    """All sockets that tell reference prices."""

    def __init__(self, oracles: dict[Asset, Oracle], keys: Keys, faults: Faults) -> None:
        """Set whose prices are told, and who may listen."""
        self._present = PriceStream(oracles, keys, faults)
        self._older = Rtds(oracles, faults)

    def open(self, number: int, kind: StreamKind) -> list[Effect]:
        """Take a new socket of either kind in."""
        if kind == "rtds":
            return self._older.open(number)
        self._present.open(number)
        return []

    def close(self, number: int) -> None:
        """Forget a socket."""
        self._present.close(number)
        self._older.close(number)

    def numbers(self, kind: str) -> list[int]:
        """Return the open sockets of a kind, of both with the empty one."""
        present = self._present.numbers() if kind in ("", "price") else []
        return present + (self._older.numbers() if kind in ("", "rtds") else [])

    def receive(self, number: int, text: str, now: Instant) -> list[Effect] | None:
        """Take a client's frame in; None when the socket is none of these."""
        if self._present.has(number):
            return self._present.receive(number, text, now)
        return self._older.receive(number, text, now) if self._older.has(number) else None

    def tell(self, tick: Tick, now: Instant) -> Iterator[Effect]:
        """Send a tick, once its latency is over, to those who wish it."""
        yield from self._present.tell(tick, now)
        yield from self._older.tell(tick, now)
