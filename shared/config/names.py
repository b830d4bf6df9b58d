"""How names become addresses: each with its unit, range, reason, default."""

from ipaddress import ip_address
from typing import Annotated

from msgspec import Meta

from shared.config.section import Section

DNS_PORT = 53


class NameSettings(Section, frozen=True, kw_only=True):
    """Name service (NET-4). A profile whose hosts are addresses needs none."""

    servers: Annotated[
        tuple[str, ...],
        Meta(
            description="Name servers asked when the system's resolver fails or is silent, each "
            "an address, `1.1.1.1`, `1.1.1.1:53` or `[2606:4700:4700::1111]:53`; none: the "
            "addresses known last stay in use.",
            max_length=4,
        ),
    ] = ()
    system_ms: Annotated[
        int,
        Meta(
            description="The system's resolver may take so long before the servers are asked: a "
            "connection has 5 s for everything.",
            ge=100,
            le=4_000,
        ),
    ] = 2_000
    server_ms: Annotated[
        int, Meta(description="Each server may take so long.", ge=50, le=4_000)
    ] = 1_000
    refresh_s: Annotated[
        int,
        Meta(
            description="Between two look-ups: records of a content network live a minute or more.",
            ge=5,
            le=3_600,
        ),
    ] = 60
    slow_ms: Annotated[
        int,
        Meta(
            description="Look-ups that take longer on average alert: a reconnection waits for one.",
            ge=10,
            le=5_000,
        ),
    ] = 1_000

    def addresses(self) -> tuple[tuple[str, int], ...]:
        """Return each server as address and port.

        Raises:
            ValueError: One is no address.
        """
        return tuple(server_address(server) for server in self.servers)


def server_address(server: str) -> tuple[str, int]:
    """Take a server apart.

    Raises:
        ValueError: It is no address, with or without a port.
    """
    host, port = server, DNS_PORT
    if server.startswith("["):
        host, _, rest = server[1:].partition("]")
        if rest:
            port = int(rest.removeprefix(":"))
    elif server.count(":") == 1:
        host, _, text = server.partition(":")
        port = int(text)
    if not 0 < port < 1 << 16:
        raise ValueError(f"{server!r} has no port")
    return str(ip_address(host)), port
