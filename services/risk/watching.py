"""Everything that risk draws samples from beyond the feeds and the components' presence.

The one list of sources, in the order of the switch table; each is a file of its own.
"""

from services.risk.clock import ClockSource
from services.risk.messages import StoredState
from services.risk.source import Source
from shared.config import Config


def make_sources(config: Config, stored: StoredState) -> tuple[Source, ...]:
    """Return one source for each kind of condition.

    Args:
        config: Settings.
        stored: What the database held: what a source counts over a day survives in it.
    """
    del stored
    return (ClockSource(config.clock),)
