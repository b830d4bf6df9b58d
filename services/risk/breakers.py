"""Breakers: samples confirmed, tripped and released, one for each condition and scope.

Driven by the switch table: a row's confirmation says how many samples trip it, a pause
releases after clean time, and a latch of the table never releases here. What tripping
does to the account or a scope is the core's work; it acts on the changes returned.
"""

from collections.abc import Callable

import msgspec

from services.risk.confirmation import Confirmed
from services.risk.latches import LatchKey
from services.risk.samples import ACCOUNT, Sample
from services.risk.scopes import ScopeKey
from shared.control import Ping
from shared.facts import SwitchStatus
from shared.switches import DISK_LOW, Switch
from shared.units import NS_PER_S, BootNs, Instant, WallNs

FORGET_NS = 180 * NS_PER_S
"""A condition that nobody has sampled for so long is over: its market has left the calendar."""

Trouble = Callable[[ScopeKey, Instant], str]

BreakerKey = tuple[str, str, ScopeKey]
"""Switch, subject, scope."""


class Change(msgspec.Struct, frozen=True):
    """One breaker that tripped, or released."""

    switch: Switch
    subject: str
    key: ScopeKey
    tripped: bool
    why: str
    cancel: bool

    @property
    def hold(self) -> str:
        """Name under which it holds a scope."""
        return f"{self.switch.name} {self.subject}".rstrip()


class _Breaker(msgspec.Struct):
    """One condition of one scope."""

    sample: Sample
    confirmed: Confirmed
    sampled_ns: BootNs
    version: int = 0
    since_wall_ns: WallNs = WallNs(0)


class Condition(msgspec.Struct, frozen=True):
    """One condition as it was sampled, for people.

    Attributes:
        bad: Of the newest `of` samples; `needed` of them trip it.
        why: Of the newest bad sample.
    """

    name: str
    subject: str
    key: ScopeKey
    bad: int
    needed: int
    of: int
    why: str


class Breakers:
    """All conditions that have been sampled.

    Attributes:
        version: Grows with each change.
    """

    def __init__(self, clean_ns: int, trouble: Trouble = lambda key, now: "") -> None:
        """Begin with nothing sampled.

        Args:
            clean_ns: How long a condition must have been good before it releases.
            trouble: What a scope's recovery waits for besides, empty for nothing (RV-1).
        """
        self.version = 0
        self._trouble = trouble
        self._clean_ns = clean_ns
        self._breakers: dict[BreakerKey, _Breaker] = {}

    def take(self, sample: Sample, now: Instant) -> Change | None:
        """Take a sample in; a change is returned when the condition tripped or released."""
        key = (sample.switch.name, sample.subject, sample.key)
        breaker = self._breakers.get(key)
        if breaker is None:
            confirmed = Confirmed(sample.confirmation, self._clean_ns)
            breaker = self._breakers[key] = _Breaker(sample, confirmed, now.boot_ns)
        breaker.sample, breaker.sampled_ns = sample, now.boot_ns
        if breaker.confirmed.tripped and sample.switch.kind == "latch":
            return None
        bad, why = sample.bad, sample.why
        if breaker.confirmed.tripped and not bad:
            # What is held goes on only with data that its strategies can use.
            waits = self._trouble(sample.key, now)
            bad, why = bool(waits), f"recovery: {waits}"
        if not breaker.confirmed.add(bad, why, now.boot_ns):
            return None
        self.version += 1
        breaker.version, breaker.since_wall_ns = self.version, now.wall_ns
        return _change(breaker)

    def forget_old(self, now: Instant) -> list[Change]:
        """Release the conditions that nobody samples any more."""
        changes = []
        for key, breaker in tuple(self._breakers.items()):
            if now.boot_ns >= breaker.sampled_ns + FORGET_NS:
                del self._breakers[key]
                if breaker.confirmed.tripped:
                    self.version += 1
                    breaker.confirmed.tripped = False
                    changes.append(_change(breaker))
        return changes

    def forget(self, switch: Switch) -> list[Change]:
        """Release every condition of a switch, those included that never release by themselves."""
        changes = []
        for key, breaker in tuple(self._breakers.items()):
            if key[0] == switch.name:
                del self._breakers[key]
                if breaker.confirmed.tripped:
                    self.version += 1
                    breaker.confirmed.tripped = False
                    changes.append(_change(breaker))
        return changes

    def rearm(self, key: LatchKey) -> None:
        """Forget what was sampled for a latch that an operator has ended."""
        for found in tuple(self._breakers):
            if _is_of(found, key):
                del self._breakers[found]
                self.version += 1

    def still_bad(self, key: LatchKey) -> tuple[str, ...]:
        """Return what the newest samples of a latch's condition still show, empty when good."""
        return tuple(
            breaker.sample.why
            for found, breaker in self._breakers.items()
            if _is_of(found, key) and breaker.sample.switch.is_durable and breaker.sample.bad
        )

    def conditions(self) -> tuple[Condition, ...]:
        """Return every condition that is sampled."""
        return tuple(_condition(breaker) for breaker in self._breakers.values())

    def behind(self, key: LatchKey) -> tuple[Condition, ...]:
        """Return the conditions that stand behind a latch; empty when it has none."""
        return tuple(
            _condition(breaker) for found, breaker in self._breakers.items() if _is_of(found, key)
        )

    def reduces_account(self) -> bool:
        """Tell whether a pause lets the account close positions and do nothing else."""
        return any(breaker.sample.switch.state == "REDUCING" for breaker in self._pauses())

    def account_reasons(self) -> tuple[str, ...]:
        """Return why the account is paused or reducing; empty when it is neither."""
        return tuple(
            f"{breaker.sample.switch.name}: {breaker.confirmed.why}" for breaker in self._pauses()
        )

    def account_blocks(self) -> tuple[str, ...]:
        """Return why nothing at all may be placed; a pause that reduces is not among them."""
        return tuple(
            f"{breaker.sample.switch.name}: {breaker.confirmed.why}"
            for breaker in self._pauses()
            if breaker.sample.switch.state == "PAUSED"
        )

    def _pauses(self) -> tuple[_Breaker, ...]:
        """Return what holds the account now; latches stand elsewhere, advice holds nothing."""
        return tuple(
            breaker
            for breaker in self._breakers.values()
            if breaker.sample.key[0] == "account"
            and breaker.confirmed.tripped
            and breaker.sample.switch.state != "ACTIVE"
            and not breaker.sample.switch.is_durable
        )

    def unclean(self, now_ns: BootNs) -> tuple[str, ...]:
        """Return the account's conditions that have not been good for the clean time yet."""
        return tuple(
            _name(breaker)
            for breaker in self._breakers.values()
            if breaker.sample.key[0] == "account"
            and breaker.sample.switch.state == "PAUSED"
            and not breaker.confirmed.is_clean(now_ns)
        )

    def with_disk(self, ping: Ping) -> Ping:
        """Return a ping that says whether only what is critical may be logged."""
        breaker = self._breakers.get((DISK_LOW.name, "full", ACCOUNT))
        if breaker is None or not breaker.confirmed.tripped:
            return ping
        return msgspec.structs.replace(ping, only_critical_logs=True)

    def statuses(self) -> tuple[SwitchStatus, ...]:
        """Return what is tripped, for people."""
        return tuple(
            SwitchStatus(
                name=breaker.sample.switch.name,
                scope=breaker.sample.key[0],
                scope_id=breaker.sample.key[1],
                kind="pause",
                version=breaker.version,
                since_wall_ns=breaker.since_wall_ns,
                reason=breaker.confirmed.why,
                evidence=breaker.sample.subject,
            )
            for breaker in self._breakers.values()
            if breaker.confirmed.tripped and not breaker.sample.switch.is_durable
        )


def _name(breaker: _Breaker) -> str:
    return f"{breaker.sample.switch.name} {breaker.sample.subject}".rstrip()


def _condition(breaker: _Breaker) -> Condition:
    sample, confirmed = breaker.sample, breaker.confirmed
    return Condition(
        sample.switch.name,
        sample.subject,
        sample.key,
        confirmed.bad,
        confirmed.needed,
        confirmed.of,
        confirmed.why,
    )


def _is_of(found: BreakerKey, key: LatchKey) -> bool:
    """Tell whether a breaker stands behind a latch."""
    return found[0] == key[0] and found[2] == (key[1], key[2])


def _change(breaker: _Breaker) -> Change:
    sample = breaker.sample
    confirmed = breaker.confirmed
    return Change(
        sample.switch, sample.subject, sample.key, confirmed.tripped, confirmed.why, sample.cancel
    )
