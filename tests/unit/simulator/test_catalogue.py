"""The catalogue of the venue's faults: complete, switchable, and each entry proven by somebody."""

import re
from pathlib import Path

import msgspec
import pytest

from services.simulator.catalogue.entry import Entry
from services.simulator.catalogue.page import render
from services.simulator.catalogue.table import ENTRIES, find
from services.simulator.chance import Chance
from services.simulator.faults.switches import Faults
from services.simulator.storm import Storm, StormOrder, UnknownEntry
from shared.units import NS_PER_MS
from shared.venue.wire import encode
from tests.builders.venue_rig import VenueRig

ROOT = Path(__file__).resolve().parents[3]
REPORTED = range(1, 51)
SWITCHED = [entry for entry in ENTRIES if entry.orders]
HOUR_NS = 3_600_000 * NS_PER_MS


def name_of(entry: Entry) -> str:
    return entry.name


def test_every_reported_fault_has_one_entry_and_names_are_unique() -> None:
    numbers = [entry.number for entry in ENTRIES]
    assert [number for number in numbers if number <= REPORTED[-1]] == list(REPORTED)
    assert len(dict.fromkeys(numbers)) == len(numbers)
    assert len({entry.name for entry in ENTRIES}) == len(ENTRIES)


@pytest.mark.req("TST-9")
@pytest.mark.parametrize("entry", ENTRIES, ids=name_of)
def test_entry_tells_what_where_and_who_proves_it(entry: Entry) -> None:
    assert entry.what.endswith(".")
    assert entry.reaction.endswith(".")
    assert entry.links
    assert all(re.match(r"https://[^ ]+$", link) for link in entry.links)
    assert entry.orders or entry.always
    assert entry.tests or entry.later
    for node in entry.tests:
        path, _, name = node.partition("::")
        text = (ROOT / path).read_text()
        assert re.search(rf"^def {name}\(", text, re.MULTILINE), node


@pytest.mark.req("TST-9")
@pytest.mark.parametrize("entry", SWITCHED, ids=name_of)
def test_entry_is_switched_on_and_off_while_the_venue_runs(entry: Entry) -> None:
    rig = VenueRig()
    rig.follow_market(1)
    rig.follow_user(2)
    wish = {"entry": entry.name, "duration_ms": entry.lasts_ms}
    status, body = rig.ask("POST", "/admin/faults", encode(wish))
    assert (status, len(body["ids"])) == (200, len(entry.orders))
    rows = rig.ask("GET", "/admin/faults")[1]
    assert {row["entry"] for row in rows} == {entry.name}
    rig.send("POST", "/order", encode(rig.client.order(rig.market)))
    rig.send("GET", "/book", query={"token_id": rig.market.tokens[0]})
    rig.send("DELETE", "/cancel-all")
    rig.advance(1)
    assert rig.ask("DELETE", "/admin/faults", query={"entry": entry.name})[0] == 200
    assert rig.ask("GET", "/admin/faults")[1] == []


def test_entry_is_found_by_name_and_by_number() -> None:
    assert find("silent-asset") is find("2")
    assert find("nonsense") is None
    assert find("999") is None


def test_unknown_entry_and_entry_without_a_switch_are_refused() -> None:
    rig = VenueRig()
    for name in ("nonsense", "cancel-without-size"):
        assert rig.ask("POST", "/admin/faults", encode({"entry": name}))[0] == 400


def test_entry_comes_back_by_its_schedule() -> None:
    rig = VenueRig()
    wish = {"entry": "version-mismatch", "duration_ms": 1_000, "every_ms": 3_000, "after_ms": 500}
    rig.ask("POST", "/admin/faults", encode(wish))
    statuses = []
    for _ in range(8):
        statuses.append(rig.post(rig.client.order(rig.market))[0])
        rig.advance(1)
    assert statuses == [200, 400, 200, 200, 400, 200, 200, 400]


def thrown(order: StormOrder, hours: int = 1) -> list[tuple[int, str]]:
    faults = Faults(Chance(1))
    storm = Storm(faults)
    storm.start(order, 0)
    found = []
    while (at := storm.next_ns()) is not None and at < hours * HOUR_NS:
        entry = storm.blow(at)
        if entry is not None:
            found.append((at, entry.name))
        faults.clear(None)
    return found


def test_storm_of_a_seed_is_the_same_each_time() -> None:
    assert thrown(StormOrder(seed=3)) == thrown(StormOrder(seed=3))
    assert thrown(StormOrder(seed=3)) != thrown(StormOrder(seed=4))
    assert 300 < len(thrown(StormOrder(seed=3, mean_ms=10_000))) < 420


def test_storm_throws_by_weights_and_ends() -> None:
    order = StormOrder(weights={"restart": 1, "edge-403": 3, "banned": 0}, duration_ms=1_800_000)
    names = [name for _, name in thrown(order)]
    assert set(names) == {"restart", "edge-403"}
    assert names.count("edge-403") > 2 * names.count("restart")
    assert len(names) < 200


def test_storm_of_unknown_entries_is_refused() -> None:
    for weights in ({"nonsense": 1}, {"restart": 0}, {"cancel-without-size": 1}):
        with pytest.raises(UnknownEntry):
            Storm(Faults(Chance(1))).start(StormOrder(weights=weights), 0)
    rig = VenueRig()
    body = encode({"weights": {"nonsense": 1}})
    assert rig.ask("POST", "/admin/faults/random", body)[0] == 400


def test_storm_blows_at_the_venue_until_faults_are_cleared() -> None:
    rig = VenueRig()
    order = msgspec.json.encode(StormOrder(mean_ms=1_000, lasts_ms=500))
    assert rig.ask("POST", "/admin/faults/random", order)[0] == 200
    rig.advance(20)
    struck = [record for record in rig.kinds("fault") if record.get("storm")]
    assert len(struck) > 8
    rig.ask("DELETE", "/admin/faults")
    rig.advance(20)
    assert len([record for record in rig.kinds("fault") if record.get("storm")]) == len(struck)


def test_page_of_faults_is_the_catalogue() -> None:
    """After a change: `make faults-page`."""
    page = ROOT / "docs" / "venue-faults.md"
    assert page.read_text(encoding="utf-8") == render()
