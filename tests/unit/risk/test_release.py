"""KS-10: one release, and risk's own; a component of another one latches, whoever it is."""

import msgspec
import pytest

from services.risk.release import RUNNING_NS, Release, ReleaseSource
from services.risk.samples import Sample
from shared.effects import ControlReceived, Peer
from shared.identifiers import Component
from shared.operator import Resumed, ResumeRefused
from shared.topics import COMPONENTS, EXECUTION, RECORDER, RISK, STATE
from shared.units import NS_PER_MS
from tests.builders.risk import World, instant

OWN = Release("b", "c", "d")


def tell(source: ReleaseSource, world: World, component: Component, **spoil: str) -> None:
    pong = msgspec.structs.replace(world.pong(component, None), **spoil)
    source.hear(ControlReceived(pong, Peer(component, pong.incarnation)), instant(0))


def why(source: ReleaseSource, ms: float = 0) -> str:
    [sample] = source.data(instant(ms))
    assert isinstance(sample, Sample)
    return sample.why if sample.bad else ""


@pytest.mark.req("KS-10")
@pytest.mark.parametrize(
    ("spoil", "word"),
    [
        ({"build_hash": "x"}, "build"),
        ({"config_hash": "x"}, "configuration"),
        ({"dependency_hash": "x"}, "set of packages"),
    ],
)
@pytest.mark.parametrize("component", [EXECUTION, STATE, RECORDER])
def test_each_hash_of_each_component_counts(
    component: Component, spoil: dict[str, str], word: str
) -> None:
    source, world = ReleaseSource(OWN), World()
    for other in COMPONENTS:
        if other != RISK:
            tell(source, world, other)
    assert not why(source)
    tell(source, world, component, **spoil)
    assert word in why(source)
    assert component in why(source)


@pytest.mark.req("KS-10")
def test_risk_of_another_release_than_all_others_is_seen() -> None:
    source, world = ReleaseSource(Release("b", "new", "d")), World()
    tell(source, world, STATE)
    assert "configuration (c, not new)" in why(source)
    without = ReleaseSource(None)
    assert not why(without)
    tell(without, world, STATE)
    tell(without, world, RECORDER, build_hash="x")
    assert "recorder" in why(without)


@pytest.mark.req("KS-10")
def test_run_that_has_not_answered_for_its_time_runs_no_more() -> None:
    source, world = ReleaseSource(OWN), World()
    tell(source, world, STATE, build_hash="x")
    assert why(source, RUNNING_NS / NS_PER_MS - 1)
    assert not why(source, RUNNING_NS / NS_PER_MS)


@pytest.mark.req("KS-10")
def test_mixed_release_refuses_to_start_and_halts_while_running() -> None:
    """The latch holds until the release is whole again and an operator resumes."""
    world = World(sources=(ReleaseSource(OWN),))
    world.hashes[RECORDER] = "other"
    world.run(20_000)
    assert world.status.trading_state == "HALTED"
    assert not world.leases()
    world.resume()
    world.run(100)
    refused = world.replies[-1][1]
    assert isinstance(refused, ResumeRefused)
    assert "recorder has another configuration" in refused.blockers[0]
    world.restart(RECORDER)
    del world.hashes[RECORDER]
    world.run(4_000)
    world.resume()
    world.run(100)
    assert isinstance(world.replies[-1][1], Resumed)
    world.trade()
    world.hashes[STATE] = "newer"
    since = len(world.venue.paths("/cancel-all"))
    world.run(300)
    assert world.status.trading_state == "HALTED"
    assert len(world.venue.paths("/cancel-all")) > since
