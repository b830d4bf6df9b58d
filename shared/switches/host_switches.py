"""Switches of the host: its clock and its disks, beyond the rows with a KS or CB number."""

from shared.switches.row import SAMPLED, Switch

CLOCK_UNKNOWN = Switch(
    "clock_unknown",
    "CK-1",
    "nobody vouches for the host's clock",
    ("clock.unknown_ms", "clock.measure_every_ms"),
    "account",
    "PAUSED",
    False,
    "pause",
    SAMPLED,
    "a source of time answers and the clock is right",
    "clock-unknown",
    True,
)
DISK_LOW = Switch(
    "disk_low",
    "CP-5",
    "a disk of this group is nearly full",
    (
        "resources.disk_warn_percent",
        "resources.disk_critical_percent",
        "resources.disk_full_percent",
    ),
    "account",
    "ACTIVE",
    False,
    "pause",
    SAMPLED,
    "space there again; the recorder stops meanwhile, trading goes on",
    "disk-low",
    True,
)
LEDGER_SPACE = Switch(
    "ledger_space",
    "CP-5",
    "the ledger's reserve of disk space is touched, or free space is not known",
    ("resources.ledger_reserve_mib", "resources.unread_ms"),
    "account",
    "PAUSED",
    False,
    "pause",
    SAMPLED,
    "space there again",
    "ledger-space",
    True,
)
