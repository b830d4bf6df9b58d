import pytest

from services.simulator.heartbeat import Heartbeats
from shared.units import NS_PER_S
from shared.venue.wire import encode
from tests.builders.venue_rig import Client, VenueRig


def beat(
    rig: VenueRig, heartbeat_id: str, client: Client | None = None
) -> tuple[int, dict[str, str]]:
    return rig.ask("POST", "/v1/heartbeats", encode({"heartbeat_id": heartbeat_id}), client=client)


def test_each_beat_names_the_id_of_the_next() -> None:
    rig = VenueRig()
    _, first = beat(rig, "")
    status, second = beat(rig, first["heartbeat_id"])
    assert status == 200
    assert second["heartbeat_id"] not in ("", first["heartbeat_id"])


def test_wrong_id_is_refused_with_the_expected_one() -> None:
    rig = VenueRig()
    _, first = beat(rig, "")
    status, body = beat(rig, "wrong")
    assert status == 400
    assert body == {
        "error_msg": "Invalid Heartbeat ID",
        "heartbeat_id": first["heartbeat_id"],
    }
    assert beat(rig, body["heartbeat_id"])[0] == 200


def test_expected_id_of_an_unarmed_key_is_empty() -> None:
    rig = VenueRig()
    assert beat(rig, "something") == (
        400,
        {"error_msg": "Invalid Heartbeat ID", "heartbeat_id": ""},
    )


def test_orders_of_a_key_that_never_beat_stay() -> None:
    rig = VenueRig(interval_s=14_400)
    order_id = rig.place()
    rig.advance(30)
    assert rig.open_ids() == [order_id]


def test_silence_of_ten_seconds_cancels_within_the_next_sweep() -> None:
    rig = VenueRig(interval_s=14_400)
    other = Client(rig.settings.seed, 2)
    kept = rig.place(other)
    rig.place()
    beat(rig, "")
    rig.advance(9.9)
    assert len(rig.open_ids()) == 1
    rig.advance(5.2)
    assert rig.open_ids() == []
    assert rig.open_ids(other) == [kept]
    (ended,) = [record for record in rig.kinds("order") if record["change"] == "CANCELLATION"]
    assert ended["cause"] == "dead_man"


def test_expiry_disarms_the_key() -> None:
    rig = VenueRig(interval_s=14_400)
    beat(rig, "")
    rig.advance(16)
    order_id = rig.place()
    rig.advance(16)
    assert rig.open_ids() == [order_id]
    assert beat(rig, "")[0] == 200


def test_refused_beat_refreshes_nothing() -> None:
    rig = VenueRig(interval_s=14_400)
    rig.place()
    beat(rig, "")
    rig.advance(9)
    assert beat(rig, "wrong")[0] == 400
    rig.advance(6.1)
    assert rig.open_ids() == []


@pytest.mark.parametrize(("silent_s", "is_silent"), [(9.999, False), (10.0, True), (10.001, True)])
def test_silence_is_judged_at_the_sweep(silent_s: float, is_silent: bool) -> None:
    hearts = Heartbeats(1)
    hearts.sweep(0)
    last_ns = round((15 - silent_s) * NS_PER_S)
    hearts.accept("key", "", last_ns)
    assert hearts.sweep(15 * NS_PER_S) == (["key"] if is_silent else [])


def test_late_sweep_keeps_the_rhythm() -> None:
    hearts = Heartbeats(1)
    hearts.sweep(0)
    hearts.sweep(13 * NS_PER_S)
    assert hearts.next_ns() == 15 * NS_PER_S
