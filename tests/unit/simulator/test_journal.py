"""The journal: what it holds after every turn, and what it does not swallow."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from services.simulator.edge import Persist
from services.simulator.journal import LINES_MAX
from services.simulator.journal_rows import Damaged, encode_line
from services.simulator.line_file import LineFile
from services.simulator.saved import Saved, fold
from services.simulator.stamps import not_written
from shared.effects import Effect
from tests.builders.venue_rig import Client, VenueRig


def facts(saved: Saved) -> dict[str, Any]:
    """Return all that is compared: the last change of a book is nothing that must survive."""
    fields = msgspec.structs.asdict(saved)
    fields.pop("stamps")
    fields["ticks"] = {asset: list(ticks) for asset, ticks in saved.ticks.items()}
    found: dict[str, Any] = msgspec.to_builtins(fields)
    for market in found["markets"].values():
        market.pop("changed_ms")
    found["order of orders"] = list(saved.orders)
    found["order of trades"] = list(saved.trades)
    return found


def facts_now(rig: VenueRig) -> dict[str, Any]:
    """Return the same of a running venue."""
    assert rig.core.journal is not None
    return facts(fold([encode_line(1, rig.core.journal.everything([]))]))


class Watched(VenueRig):
    """A venue whose journal is compared with itself after every third line."""

    compared = 0

    def take(self, effects: list[Effect]) -> None:
        super().take(effects)
        if effects and isinstance(effects[0], Persist) and len(self.journal) % 3 == 0:
            assert facts(fold(self.journal)) == facts_now(self)
            self.compared += 1


class Placed(VenueRig):
    """A venue that counts at which place of its turn a line of the journal comes."""

    first = 0
    later = 0

    def take(self, effects: list[Effect]) -> None:
        super().take(effects)
        for place, effect in enumerate(effects):
            if isinstance(effect, Persist):
                self.first += place == 0
                self.later += place > 0


def trade_busily(rig: VenueRig, seconds: int) -> None:
    """Let two clients trade with each other and with the crowd."""
    other = Client(rig.settings.seed, 2)
    for second in range(seconds):
        rig.advance(1)
        rig.ask("POST", "/v1/heartbeats", b'{"heartbeat_id":""}')
        price = 3_000 + 100 * (second % 40)
        rig.post(rig.client.order(rig.market, price=price, size=20))
        rig.post(other.order(rig.market, outcome=1, price=10_000 - price, size=7), other)
        end_s = rig.now_s + 190
        rig.post(rig.client.order(rig.market, price=200, order_type="GTD", expiration_s=end_s))
        if second % 5 == 4:
            rig.ask("DELETE", "/cancel-all")


def busy_lines() -> list[bytes]:
    """Return a short journal with orders, trades and markets in it."""
    rig = VenueRig(interval_s=60, saved=Saved())
    trade_busily(rig, 2)
    rig.advance(1)
    assert len(rig.journal) > 3
    return rig.journal


def test_fold_equals_the_uninterrupted_venue() -> None:
    rig = Watched(
        interval_s=60, saved=Saved(), frames_per_second=10, takers_per_second=3.0, mined_ms=1_000
    )
    rig.fault("fail_settlement", probability=0.2)
    trade_busily(rig, 70)
    rig.advance(10)
    assert rig.compared > 80
    assert {trade.status for trade in rig.core.exchange.trades.by_id.values()} >= {
        "CONFIRMED",
        "FAILED",
    }
    assert rig.kinds("payout") != []


def test_line_comes_before_everything_that_tells_of_it() -> None:
    rig = Placed(saved=Saved(), frames_per_second=10, takers_per_second=3.0)
    rig.follow_user()
    trade_busily(rig, 10)
    assert rig.first > 20
    assert rig.later == 0


def test_turn_that_changed_nothing_lasting_writes_no_line() -> None:
    rig = VenueRig(saved=Saved())
    before = len(rig.journal)
    rig.ask("GET", "/data/orders")
    rig.post(rig.client.order(rig.market, price=100, size=1))
    assert len(rig.journal) == before


def test_journal_is_begun_anew_before_it_grows_without_end() -> None:
    rig = VenueRig(saved=Saved(), price_ms=50)
    lengths: list[int] = []
    for _ in range(3 * LINES_MAX // 1_000):
        rig.advance(25)
        lengths.append(len(rig.journal))
    assert max(lengths) <= LINES_MAX
    assert lengths != sorted(lengths)
    assert facts(fold(rig.journal)) == facts_now(rig)


# --- damage ---------------------------------------------------------------------------


def test_tail_torn_at_any_byte_is_the_venue_one_line_earlier(tmp_path: Path) -> None:
    lines = busy_lines()
    whole = b"".join(line + b"\n" for line in lines[1:])
    path = tmp_path / "venue.jsonl"
    earlier = fold(lines[:-1])
    for length in range(len(whole) - len(lines[-1]) - 1, len(whole)):
        path.write_bytes(whole[:length])
        file = LineFile(path)
        found = file.read()
        file.close()
        assert found == lines[1:-1]
    assert facts(fold([lines[0], *found])) == facts(earlier)
    path.write_bytes(whole)
    file = LineFile(path)
    assert file.read() == lines[1:]
    assert file.last() == lines[-1]
    file.close()


def test_file_torn_in_its_first_line_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "venue.jsonl"
    path.write_bytes(b"x" * 200_000)
    file = LineFile(path)
    assert file.read() == []
    assert file.last() is None
    file.close()


def test_damage_of_any_byte_of_a_complete_line_is_told() -> None:
    lines = busy_lines()
    for place in (1, len(lines) - 1):
        for position in range(len(lines[place])):
            spoilt = bytearray(lines[place])
            spoilt[position] ^= 1
            with pytest.raises(Damaged, match=f"line {place + 1} "):
                fold([*lines[:place], bytes(spoilt), *lines[place + 1 :]])


def test_missing_line_is_told() -> None:
    lines = busy_lines()
    with pytest.raises(Damaged, match="line 2 is number 3 where 2 should be"):
        fold([lines[0], *lines[2:]])
    with pytest.raises(Damaged, match="line 1 should begin with everything"):
        fold(lines[1:])


def test_line_of_another_venue_is_told() -> None:
    lines = busy_lines()
    other = VenueRig(interval_s=60, saved=Saved(), seed=2)
    trade_busily(other, 2)
    with pytest.raises(Damaged, match="line 2 is of a venue of seed 2"):
        fold([lines[0], other.journal[1]])


def test_empty_journal_is_a_new_venue() -> None:
    assert fold([]) == Saved()


# --- file -----------------------------------------------------------------------------


def test_replaced_file_holds_one_line_and_goes_on(tmp_path: Path) -> None:
    file = LineFile(tmp_path / "venue.jsonl")
    file.append((b"one", b"two"))
    file.replace(b"three")
    file.append((b"four",))
    assert file.read() == [b"three", b"four"]
    assert file.last() == b"four"
    file.close()
    assert [path.name for path in tmp_path.iterdir()] == ["venue.jsonl"]


def test_last_line_is_found_behind_many_blocks(tmp_path: Path) -> None:
    file = LineFile(tmp_path / "wire.jsonl")
    file.append((b"a" * 70_000, b"b" * 140_000))
    assert file.last() == b"b" * 140_000
    file.append((b"c",))
    assert file.last() == b"c"
    file.close()


def test_records_of_the_last_turn_that_the_log_lacks_are_found() -> None:
    stamps = [b'{"n":7,"at_ns":100}', b'{"n":8,"at_ns":100}']
    assert not_written(None, stamps) == stamps
    assert not_written(b'{"n":6,"at_ns":90}', stamps) == stamps
    assert not_written(b'{"n":7,"at_ns":100}', stamps) == stamps[1:]
    assert not_written(b'{"n":9,"at_ns":120}', stamps) == []
    # A new run counts its records from 1 again.
    assert not_written(b'{"n":900,"at_ns":90}', stamps) == stamps
