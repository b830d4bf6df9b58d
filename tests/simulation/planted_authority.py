"""Bugs of risk's authority, each planted by overriding one thing of risk."""

import msgspec

from ops.simulation.guarded import SimulatedStore
from ops.simulation.process import Process
from ops.simulation.world import World
from services.risk.core import RiskCore
from services.risk.messages import StoredState
from services.risk.source import Source
from shared.config import Config
from shared.identifiers import Incarnation
from shared.trading_state import TradingState
from shared.units import Instant


class LatchesUnread(SimulatedStore):
    """Bug 11: a new risk does not read the latches that the one before it has written."""

    def __init__(self, world: World, process: Process) -> None:
        super().__init__(world, process)
        self.file.stored = msgspec.structs.replace(self.file.stored, latches=())


class ResumesUnchecked(RiskCore):
    """Bug 12: trading begins again without a look at the check list."""

    def __init__(
        self,
        config: Config,
        incarnation: Incarnation,
        stored: StoredState,
        now: Instant,
        sources: tuple[Source, ...] | None = None,
    ) -> None:
        super().__init__(config, incarnation, stored, now, sources)
        self._guard.recovery = lambda now: ()  # type: ignore[method-assign]
        self._guard.authority.begin_trading = self._begin  # type: ignore[method-assign]

    def _begin(self) -> int:
        """Begin as ever, but for the assertion that zero is proven."""
        authority = self._guard.authority
        authority.trading = True
        return authority.epochs.take()


class ClosingOpens(RiskCore):
    """Bug 13: what may only close positions is granted everything."""

    def __init__(
        self,
        config: Config,
        incarnation: Incarnation,
        stored: StoredState,
        now: Instant,
        sources: tuple[Source, ...] | None = None,
    ) -> None:
        super().__init__(config, incarnation, stored, now, sources)
        authority = self._guard.authority
        self._true_state = authority.state
        authority.state = self._state  # type: ignore[method-assign]

    def _state(self) -> TradingState:
        """Return the account's state as ever, but for the one that reduces."""
        state = self._true_state()
        is_granted = state == "REDUCING" and self._guard.authority.trading
        return "ACTIVE" if is_granted else state
