"""The recorder obeys risk's status: it hurries less, and stops before the disk is full."""

import msgspec
import pytest

from services.recorder.orders import Orders, orders_in
from shared.effects import EnvelopeReceived
from shared.facts import RiskStatus, SwitchStatus
from shared.identifiers import Component, Incarnation
from shared.recording import GapRecord
from shared.units import Instant
from tests.builders.feeds import at
from tests.unit.recorder.test_core import FLUSH_MS, Rig


def status(*tripped: tuple[str, str]) -> bytes:
    rows = tuple(
        SwitchStatus(name, "account", "", "pause", 1, 0, f"{name} why", subject)
        for name, subject in tripped
    )
    return msgspec.msgpack.encode(RiskStatus("ACTIVE", (), 1, "none", "", None, rows, (), 1))


def envelope(body: bytes, topic: str = "risk.status") -> EnvelopeReceived:
    frames = (topic.encode(), b"header", body)
    return EnvelopeReceived(Component("risk"), Incarnation(1), topic, 1, frames, at(0).monotonic_ns)


def tell(rig: Rig, body: bytes, now: Instant) -> None:
    rig.carry_out(rig.core.on_message(envelope(body), now), now)


@pytest.mark.req("CB-5", "CP-5")
def test_status_says_what_is_asked() -> None:
    assert orders_in(envelope(status())) == Orders()
    assert orders_in(envelope(status(("resources", "memory")))) == Orders(unhurried=True)
    assert orders_in(envelope(status(("disk_low", "warn")))) == Orders(disk="warn")
    stopped = Orders(stopped="disk_low why", disk="critical")
    assert orders_in(envelope(status(("disk_low", "warn"), ("disk_low", "critical")))) == stopped
    assert orders_in(envelope(status(), "risk.alert")) is None
    assert orders_in(envelope(b"\xc1")) is None


@pytest.mark.req("CB-5")
def test_recorder_writes_less_often_while_the_host_is_short() -> None:
    rig = Rig()
    tell(rig, status(("resources", "cpu")), at(0))
    rig.run(0, 9 * FLUSH_MS)
    assert not rig.files
    rig.run(9 * FLUSH_MS, 11 * FLUSH_MS)
    assert rig.files


@pytest.mark.req("CP-5")
def test_recorder_keeps_nothing_on_a_disk_that_is_nearly_full_and_counts_what_it_left_out() -> None:
    rig = Rig()
    tell(rig, status(("disk_low", "critical")), at(0))
    for number in range(5):
        rig.fact(at(10 + number))
    rig.run(0, 2 * FLUSH_MS)
    assert not rig.files
    assert rig.core.status().state == "stopped"
    tell(rig, status(), at(2_000))
    rig.run(2_000, 2_000 + 2 * FLUSH_MS)
    gaps = [record for record in rig.records(rig.open) if isinstance(record, GapRecord)]
    assert [(gap.cause, gap.missed) for gap in gaps] == [("disk", 6)]
    assert rig.core.status().state == "recording"
