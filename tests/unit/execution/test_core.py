from tests.builders.execution import Rig, target
from tests.builders.markets import DOWN


def test_core_trades() -> None:
    rig = Rig()
    rig.quote(target(), target(token=DOWN))
    assert len(rig.venue.open) == 2, (rig.status(), rig.core.health())
    assert rig.pong().open_orders == 2
