"""The other venue as one part: its sockets, and the route behind which it answers."""

from services.simulator.agenda import Agenda
from services.simulator.faults.switches import Faults
from services.simulator.oracles.oracle import Oracle
from services.simulator.perps.info import PerpInfo
from services.simulator.perps.numbers import PerpNumbers
from services.simulator.perps.sockets import PerpSockets
from services.simulator.routes import PublicRoute
from shared.identifiers import Asset
from shared.perps.wire import INFO_PATH


class PerpVenue:
    """Perpetual futures of every asset that has an oracle.

    Attributes:
        sockets: Who listens.
    """

    def __init__(
        self, oracles: dict[Asset, Oracle], seed: int, faults: Faults, agenda: Agenda
    ) -> None:
        """Build the parts."""
        self._numbers = PerpNumbers(oracles, seed, faults)
        self.sockets = PerpSockets(self._numbers, faults, agenda)

    def routes(self) -> tuple[PublicRoute, ...]:
        """Return what is answered without a socket."""
        return (PublicRoute("POST", INFO_PATH, PerpInfo(self._numbers).answer),)
