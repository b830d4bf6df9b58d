"""How reaching the venue fails, told apart, and what each kind asks a person to check.

A refused port, a packet that nobody answers and a slow peer look alike from far away and have
different remedies, so the edge that saw it names the kind, and everybody downstream repeats it.

Source of the kinds: connect(2) and tcp(7); requirement NET-5.
"""

from typing import Literal

import msgspec

from shared.units import MonotonicNs

ReachFault = Literal[
    "",
    "name",
    "refused",
    "unreachable",
    "blocked",
    "tls",
    "slow",
    "denied",
    "closed",
    "lost",
    "doubted",
]
"""How an attempt or a connection ended.

name: no address is known. refused: the port answers that nobody listens. unreachable: this host
has no way there, or its own firewall forbids it. blocked: nothing answers the first packet.
tls: the handshake failed. slow: it was connected, and then did not answer in time.
denied: an HTTP status instead of the upgrade. closed: the peer said goodbye.
lost: an open connection broke. doubted: we gave it up ourselves. Empty: there was none.
"""

NOT_REACHED: frozenset[ReachFault] = frozenset(
    ("name", "refused", "unreachable", "blocked", "tls", "slow", "denied")
)
"""Kinds after which another endpoint is worth trying: this one never became usable."""

ADVICE: dict[ReachFault, str] = {
    "": "nothing has failed",
    "name": "check the name servers of this host and [names] servers: the name has no address",
    "refused": "the host answers but nobody listens there: check the port in the profile, and "
    "the venue's status page",
    "unreachable": "this host has no way there: check its network, routes and its own firewall",
    "blocked": "nothing answers the first packet: check firewalls between here and the venue, "
    "outgoing port 443, and whether the venue bars this address or country",
    "tls": "the encrypted handshake failed: check this host's clock and certificates, and "
    "whether something between here and the venue opens TLS",
    "slow": "connected, but no answer in time: check the load of this host and network, and the "
    "venue's status page",
    "denied": "the venue answers, and refuses: check credentials, address and country "
    "(`interlock doctor`), and its rate limits",
    "closed": "the venue closed in order: it says why in the cause; check its status page",
    "lost": "an open connection broke: check this host's network if it goes on",
    "doubted": "we gave it up ourselves: the cause says what was wrong with its data",
}
"""What each kind asks a person to check, in plain words."""


class HostReach(msgspec.Struct, frozen=True):
    """What a process knows of one host's name.

    Attributes:
        host: Name, as in the profile.
        source: Who gave the addresses in use: `literal` (the profile has an address), `system`,
            `fallback` (a name server of the profile), or empty for none.
        resolved_ns: When they were given; None while there are none.
        addresses: How many are in use.
        lookup_ms: How long answered look-ups take: a moving average.
        lookup_ms_max: The slowest answered one of the newest hundred.
        failure: Why every source failed at the newest look-up; empty when one answered. The
            addresses in use are then those of `resolved_ns`, however old.
    """

    host: str
    source: str = ""
    resolved_ns: MonotonicNs | None = None
    addresses: int = 0
    lookup_ms: int = 0
    lookup_ms_max: int = 0
    failure: str = ""
