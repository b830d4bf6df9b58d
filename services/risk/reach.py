"""Whether the venue is reached, told to people in plain words with what to check (NET-2 to NET-6).

Trips nothing: what a lost feed stops is the feeds' switches, by the age of evidence. Each thing
is told when it begins and again every few minutes, however long it lasts.
"""

from collections.abc import Iterator

from services.risk.notes import Severity
from services.risk.source import Notice
from shared.config import NameSettings
from shared.effects import Message, ReachTold, Received
from shared.facts import FeedStatus
from shared.identifiers import Component
from shared.reach import ADVICE, HostReach
from shared.topics import RISK
from shared.units import NS_PER_S, BootNs, Instant

DEGRADED_AFTER = 5
"""Failures in a row of one connection. Source: requirement NET-2."""

TELL_AGAIN_NS = 300 * NS_PER_S

TOLD_MAX = 256
"""Names of what was told; feeds and hosts are few."""

RUNBOOK = "venue-unreachable"


class ReachSource:
    """What the feeds and risk's own edges say of reaching the venue."""

    def __init__(self, settings: NameSettings) -> None:
        """Begin with nothing heard."""
        self._settings = settings
        self._feeds: dict[Component, FeedStatus] = {}
        self._hosts: dict[tuple[Component, str], HostReach] = {}
        self._dropped: dict[Component, int] = {}
        self._told: dict[str, BootNs] = {}

    def hear(self, message: Message, now: Instant) -> None:
        """Take in a feed's status, or what an edge of risk knows of its names."""
        match message:
            case Received(component=component, body=FeedStatus() as status):
                self._feeds[component] = status
                self._take_hosts(component, status.hosts)
            case ReachTold(hosts=hosts):
                self._take_hosts(RISK, hosts)
            case _:
                pass

    def data(self, now: Instant) -> Iterator[Notice]:
        """Yield what people should know and have not been told lately."""
        holding: set[str] = set()
        for severity, name, text in self._seen(now):
            holding.add(name)
            told_ns = self._told.get(name)
            if told_ns is not None and now.boot_ns < told_ns + TELL_AGAIN_NS:
                continue
            if len(self._told) < TOLD_MAX:
                self._told[name] = now.boot_ns
            yield Notice(severity, name, text, RUNBOOK)
        for name in tuple(self._told):
            if name not in holding:
                del self._told[name]

    def _take_hosts(self, component: Component, hosts: tuple[HostReach, ...]) -> None:
        for host in hosts:
            key = (component, host.host)
            if key in self._hosts or len(self._hosts) < TOLD_MAX:
                self._hosts[key] = host

    def _seen(self, now: Instant) -> Iterator[tuple[Severity, str, str]]:
        for feed, status in self._feeds.items():
            yield from self._of_feed(feed, status, now)
        for (component, name), host in self._hosts.items():
            yield from self._of_host(component, name, host, now)

    def _of_feed(
        self, feed: Component, status: FeedStatus, now: Instant
    ) -> Iterator[tuple[Severity, str, str]]:
        advice = next((text for kind, text in ADVICE.items() if kind == status.fault), "")
        again = "" if status.next_try_ns is None else f"; next try in {_s(status.next_try_ns, now)}"
        if status.state == "barred":
            text = f"{feed} is refused: {status.cause}{again}, or once the credentials change"
            yield "critical", f"{feed} barred", f"{text}; {ADVICE['denied']}"
        elif status.failures >= DEGRADED_AFTER and not status.connected:
            text = f"{feed} failed {status.failures} times in a row ({status.cause}) at "
            yield "critical", f"{feed} degraded", f"{text}{status.url}{again}; {advice}"
        if status.suspect:
            text = f"{feed}: the venue's pong is over a second late"
            yield "warning", f"{feed} suspect", text
        dropped = self._dropped.get(feed, 0)
        if status.outgoing_dropped > dropped:
            text = f"{feed}: {status.outgoing_dropped} messages to the venue fell out of the buffer"
            yield "critical", f"{feed} outgoing dropped", text
        self._dropped[feed] = max(dropped, status.outgoing_dropped)

    def _of_host(
        self, component: Component, name: str, host: HostReach, now: Instant
    ) -> Iterator[tuple[Severity, str, str]]:
        if host.failure:
            kept = "no address is known"
            if host.resolved_ns is not None:
                age_s = (now.monotonic_ns - host.resolved_ns) // NS_PER_S
                kept = f"its addresses of {age_s} s ago stay in use"
            text = f"{component} finds no address of {name}: {host.failure}; {kept}"
            yield "critical", f"names {component} {name}", f"{text}; {ADVICE['name']}"
        elif host.lookup_ms > self._settings.slow_ms:
            text = f"{component}: {name} takes {host.lookup_ms} ms to look up, "
            text += f"{host.lookup_ms_max} ms at worst; {ADVICE['name']}"
            yield "warning", f"names slow {component} {name}", text


def _s(at_ns: int, now: Instant) -> str:
    return f"{max(0, at_ns - now.monotonic_ns) / NS_PER_S:.0f} s"
