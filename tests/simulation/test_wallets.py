"""The whole system trades from every kind of wallet, in markets of every exchange."""

import msgspec
import pytest

from ops.simulation import run
from ops.simulation.faults import Fault, Plan, Rates
from services.execution.signer import OrderSigner
from services.simulator.chance import Chance, derive
from shared.config import Config
from shared.topics import EXECUTION
from shared.units import NS_PER_S
from shared.venue.wallets import maker_address

SEED = 1
SECONDS = 34
KILL = Fault(14 * NS_PER_S, "kill", EXECUTION, effects_before=3)
KINDS = ("eoa", "proxy", "safe", "deposit")
_GROUP_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


@pytest.mark.req("VEN-2")
@pytest.mark.req("VEN-3")
@pytest.mark.parametrize("kind", KINDS)
def test_wallet_trades_dies_and_trades_again(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """A third of the markets each is of the plain exchange, of neg-risk, and of Protocol V2."""
    key = derive(SEED, "wallet") % (_GROUP_ORDER - 1) + 1
    owner = OrderSigner(key.to_bytes(32, "big")).address
    draw = run.draw_config

    def draw_with_wallet(chance: Chance) -> Config:
        config = draw(chance)
        account = msgspec.structs.replace(
            config.account,
            wallet_kind=kind,
            wallet_address="" if kind == "eoa" else maker_address(KINDS.index(kind), owner),
        )
        # What the wallet is not is refused, so that nothing trades from another kind unnoticed.
        others = {
            "eoa_makers": "allowed" if kind == "eoa" else "refused",
            "legacy_makers": "allowed" if kind in ("proxy", "safe") else "refused",
        }
        simulator = msgspec.structs.replace(config.simulator, **others)
        assert simulator.protocol == "mixed"
        return msgspec.structs.replace(config, account=account, simulator=simulator)

    monkeypatch.setattr(run, "draw_config", draw_with_wallet)
    plan = Plan(Rates(), (KILL,), SECONDS * NS_PER_S, garbles=False)
    outcome = run.run(SEED, SECONDS, plan=plan)
    assert outcome.violations == (), run.report(outcome)
    assert outcome.ended == {EXECUTION: 1}
    assert outcome.posts > 50
    assert outcome.fills > 3
    assert outcome.cleared == {}
    quoted = [moment for moment, _, what, _ in outcome.told if what == "state.quoted"]
    assert quoted[-1] > KILL.moment_ns
