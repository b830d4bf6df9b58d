"""Which endpoints a mode may have: only a mode that trades for real reaches the real venue.

A group in simulation, replay or paper signs real orders with a key of its own. What keeps
them on this machine is that everything an order, a cancel or a heartbeat is sent to is a
loopback address, checked here by whoever reads the configuration.
"""

from ipaddress import ip_address
from urllib.parse import urlsplit

from shared.config.clock import WELL_KNOWN
from shared.config.settings import Config

_LOOPBACK_NAME = "localhost"

TRADING = ("clob_url", "user_socket_url", "user_socket_alternatives", "rpc_url", "relayer_url")
"""Settings of `[venue]` over which orders and approvals go out and their fate comes back."""

READING = (
    "discovery_url",
    "geoblock_url",
    "market_socket_url",
    "price_socket_url",
    "market_socket_alternatives",
    "price_socket_alternatives",
    "legacy_price_socket_url",
    "books_url",
)
"""Settings of `[venue]` that are only read from."""


def is_loopback(url: str) -> bool:
    """Tell whether a URL names this machine, without asking any resolver."""
    try:
        host = urlsplit(url).hostname
    except ValueError:
        return False
    if host is None:
        return False
    if host == _LOOPBACK_NAME:
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def strangers(config: Config) -> list[tuple[str, str]]:
    """Return the endpoints that a mode must not have, each with the reason."""
    mode = config.run.mode
    if mode == "live":
        return []
    bound = TRADING if mode == "paper" else (*TRADING, *READING)
    found: list[tuple[str, str]] = []
    for name in bound:
        named: str | tuple[str, ...] = getattr(config.venue, name)
        for url in (named,) if isinstance(named, str) else named:
            if url and not is_loopback(url):
                found.append((f"venue.{name}", f"mode {mode} needs a loopback address, not {url}"))
    if mode != "paper":
        urls = {"socket_url": config.perp.socket_url, "info_url": config.perp.info_url}
        for name, url in urls.items():
            if url and not is_loopback(url):
                found.append((f"perp.{name}", f"mode {mode} needs a loopback address, not {url}"))
    return found


def time_servers(config: Config) -> tuple[str, ...]:
    """Return the NTP servers that a group asks, each `host` or `host:port`.

    Empty in a simulation whose venue tells no time by SNTP: its clock is this machine's, and
    `/time` alone is asked.
    """
    if config.clock.servers:
        return config.clock.servers
    if config.run.mode in ("simulation", "replay"):
        port = config.simulator.time_port
        return (f"127.0.0.1:{port}",) if port else ()
    return WELL_KNOWN
