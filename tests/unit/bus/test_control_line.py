import pytest

from bus.control_line import HELLO_EVERY_NS, ComponentLine, Identity, LoopFacts
from shared.control import Ping, Pong
from shared.identifiers import Incarnation
from shared.topics import STATE
from shared.units import BootNs, Instant, MonotonicNs, WallNs

IDENTITY = Identity(STATE, Incarnation(5), 42, "b", "c", "d")
FACTS = LoopFacts(queue_depth=3, loop_lag_ns=9, inputs=())


def at(boot_ns: int) -> Instant:
    return Instant(BootNs(boot_ns), MonotonicNs(0), WallNs(0))


def make_ping(ping_id: int, *, epoch: int = 4) -> Ping:
    return Ping(Incarnation(8), ping_id, BootNs(ping_id * 10), epoch, 0, "", "ACTIVE", (), (), 6)


def answer(line: ComponentLine, now: int) -> Pong:
    return line.pong(at(now), FACTS, ("ready", ""), None)


@pytest.mark.req("CP-1")
def test_pong_names_its_ping_and_who_answers() -> None:
    line = ComponentLine(IDENTITY)
    line.hear(make_ping(7), at(1))
    assert line.owes_pong(at(1))
    pong = answer(line, 2)
    assert (pong.ping_id, pong.ping_sent_ns, pong.risk_incarnation) == (7, 70, 8)
    assert (pong.epoch, pong.switch_version) == (4, 6)
    assert (pong.component, pong.incarnation, pong.pid) == (STATE, 5, 42)
    assert (pong.build_hash, pong.config_hash, pong.dependency_hash) == ("b", "c", "d")
    assert (pong.queue_depth, pong.loop_lag_ns) == (3, 9)


def test_several_pings_get_one_pong_to_the_newest() -> None:
    line = ComponentLine(IDENTITY)
    for ping_id in (1, 2, 3):
        line.hear(make_ping(ping_id, epoch=ping_id), at(1))
    pong = answer(line, 1)
    assert (pong.ping_id, pong.epoch) == (3, 3)
    assert not line.owes_pong(at(1))


@pytest.mark.parametrize(
    ("after_ns", "owed"), [(HELLO_EVERY_NS - 1, False), (HELLO_EVERY_NS, True)]
)
def test_hello_is_due_when_no_ping_was_heard_for_long(after_ns: int, owed: bool) -> None:
    line = ComponentLine(IDENTITY)
    line.hear(make_ping(1), at(1_000))
    answer(line, 1_000)
    assert line.owes_pong(at(1_000 + after_ns)) == owed


def test_hello_answers_no_ping_but_tells_what_was_heard_last() -> None:
    line = ComponentLine(IDENTITY)
    assert answer(line, 0).risk_incarnation == 0
    line.hear(make_ping(1), at(1))
    answer(line, 1)
    hello = answer(line, 1 + HELLO_EVERY_NS)
    assert (hello.ping_id, hello.ping_sent_ns) == (0, 0)
    assert (hello.risk_incarnation, hello.epoch) == (8, 4)
