"""The configuration: one schema, one table of defaults, every finding reported at once.

Each setting has its unit in its name, a range, and a reason. Unknown keys are refused.
This module reads no file and no environment: it turns TOML text into settings or into
findings; `bus/settings.py` finds the file and looks at the key files it names.
"""

from shared.config.abnormal import AbnormalSettings
from shared.config.access import AccessSettings
from shared.config.clock import NTP_PORT, ClockSettings
from shared.config.components import (
    ComponentSettings,
    ComponentsSettings,
    RestartSettings,
)
from shared.config.degradation import DegradationSettings
from shared.config.drill import DrillSettings
from shared.config.endpoints import is_loopback, time_servers
from shared.config.losses import LossSettings, PerformanceSettings, ThrottleSettings
from shared.config.mirror import MirrorSettings
from shared.config.names import NameSettings
from shared.config.parsing import LIVE_ACKNOWLEDGEMENT, Finding, check_together, parse
from shared.config.perp import PerpSettings
from shared.config.quality import QualitySettings
from shared.config.ramp import RampSettings
from shared.config.recorder import RecorderSettings
from shared.config.recovery import RecoverySettings
from shared.config.resources import ResourceSettings
from shared.config.section import Section
from shared.config.settings import (
    AccountSettings,
    Config,
    DashboardSettings,
    LimitSettings,
    MarketSettings,
    RunSettings,
    TimingSettings,
    UnknownPosition,
)
from shared.config.simulator import SimulatorSettings
from shared.config.strategies import CaretakerSettings, MarketMakingSettings, StrategySettings
from shared.config.venue import VenueSettings

__all__ = [
    "LIVE_ACKNOWLEDGEMENT",
    "NTP_PORT",
    "AbnormalSettings",
    "AccessSettings",
    "AccountSettings",
    "CaretakerSettings",
    "ClockSettings",
    "ComponentSettings",
    "ComponentsSettings",
    "Config",
    "DashboardSettings",
    "DegradationSettings",
    "DrillSettings",
    "Finding",
    "LimitSettings",
    "LossSettings",
    "MarketMakingSettings",
    "MarketSettings",
    "MirrorSettings",
    "NameSettings",
    "PerformanceSettings",
    "PerpSettings",
    "QualitySettings",
    "RampSettings",
    "RecorderSettings",
    "RecoverySettings",
    "ResourceSettings",
    "RestartSettings",
    "RunSettings",
    "Section",
    "SimulatorSettings",
    "StrategySettings",
    "ThrottleSettings",
    "TimingSettings",
    "UnknownPosition",
    "VenueSettings",
    "check_together",
    "is_loopback",
    "parse",
    "time_servers",
]
