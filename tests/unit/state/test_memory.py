"""A memory comes back as it was; what is damaged, foreign, old or early is refused."""

import struct
import zlib

import msgspec
import pytest

from services.state.core import StateCore
from services.state.memory import (
    AGE_NS_MAX,
    MAGIC,
    SCHEMA,
    Memory,
    Place,
    Refused,
    Remembered,
    Stored,
    read,
    settings_digest,
    write,
)
from shared.config import Config
from shared.identifiers import Asset, Incarnation
from shared.topics import FEED_MARKET
from shared.units import NS_PER_S, BootNs, Instant, MonotonicNs, WallNs
from tests.builders.feeds import at, config
from tests.builders.state_rig import ready
from tests.unit.state.test_prices import tick

TAKEN_MS = 30_000
TAKEN = at(TAKEN_MS)


def make_stored(**spoil: object) -> Stored:
    rig = ready()
    for second in range(30):
        rig.hear("feed.price", tick(second * 1_000, 100_000 + second), at(second * 1_000))
    fields = {
        "schema": SCHEMA,
        "incarnation": Incarnation(2**63 - 1),
        "settings": settings_digest(config()),
        "recorded": (Place("a.ilr", 5),),
        "recorded_wall_ns": 7,
        "memory": rig.core.remember(TAKEN),
    }
    return Stored(**{**fields, **spoil})  # type: ignore[arg-type]


def refused(content: bytes, now: Instant = TAKEN, settings: Config | None = None) -> str:
    with pytest.raises(Refused) as caught:
        read(content, settings or config(), now)
    return str(caught.value)


@pytest.mark.req("CP-2")
def test_memory_comes_back_as_it_was() -> None:
    stored = make_stored()
    assert read(write(stored), config(), TAKEN) == stored
    assert len(stored.memory.books) == 2
    assert stored.memory.prices[0].volatility.count == 29
    assert (FEED_MARKET, "feed.market") in {
        (one.component, one.topic) for one in stored.memory.heard
    }


def test_core_that_recalls_a_memory_remembers_the_same() -> None:
    memory = make_stored().memory
    risen = StateCore(config())
    risen.on_message(Remembered(memory, (), "a"), TAKEN)
    again = risen.remember(TAKEN)
    assert again == memory


@pytest.mark.req("CP-2")
def test_no_damaged_byte_goes_unseen() -> None:
    content = write(make_stored())
    for place in range(0, len(content), 37):
        spoiled = bytearray(content)
        spoiled[place] ^= 0x10
        refused(bytes(spoiled))
    for length in (0, 3, len(MAGIC), len(MAGIC) + 3, len(content) // 2, len(content) - 1):
        refused(content[:length])
    assert "bytes" in refused(content + b"x")


@pytest.mark.req("CP-2")
def test_other_schema_settings_and_moments_are_refused() -> None:
    assert "schema 0" in refused(write(make_stored(schema=0)))
    assert "schema 2" in refused(write(make_stored(schema=2)))
    assert "other settings" in refused(write(make_stored()), settings=config(interval_s=300))
    content = write(make_stored())
    assert "future" in refused(content, at(TAKEN_MS - 500))
    assert " s old" in refused(content, at(TAKEN_MS + (AGE_NS_MAX + NS_PER_S) // 10**6))
    rebooted = Instant(
        BootNs(TAKEN.boot_ns - 10**11), MonotonicNs(1), WallNs(TAKEN.wall_ns + NS_PER_S)
    )
    assert "another start" in refused(content, rebooted)
    read(content, config(), at(TAKEN_MS + AGE_NS_MAX // 10**6))


def test_payload_that_is_none_is_refused() -> None:
    for payload in (b"\xc1", msgspec.msgpack.encode({"schema": SCHEMA}), b"\x91" * 5_000):
        content = MAGIC + struct.pack("<II", len(payload), zlib.crc32(payload)) + payload
        assert "payload" in refused(content)


def test_nothing_is_remembered_of_an_unknown_market() -> None:
    memory = StateCore(config()).remember(TAKEN)
    assert memory == Memory(TAKEN, (), (), memory.prices, ())
    assert [one.asset for one in memory.prices] == [Asset(name) for name in config().markets.assets]
