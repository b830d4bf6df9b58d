"""The whole system trades from a deposit wallet as it does from a plain key."""

import msgspec
import pytest

from ops.simulation import faults, run
from services.execution.signer import OrderSigner
from services.simulator.chance import Chance, derive
from shared.config import Config
from shared.venue.wallets import deposit_address

SEED = 1
_GROUP_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


@pytest.mark.req("VEN-3")
def test_calm_run_from_a_deposit_wallet_trades_without_a_halt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    key = derive(SEED, "wallet") % (_GROUP_ORDER - 1) + 1
    wallet = deposit_address(OrderSigner(key.to_bytes(32, "big")).address)
    draw = run.draw_config

    def draw_with_wallet(chance: Chance) -> Config:
        config = draw(chance)
        account = msgspec.structs.replace(
            config.account, wallet_kind="deposit", wallet_address=wallet
        )
        simulator = msgspec.structs.replace(config.simulator, eoa_makers="refused")
        return msgspec.structs.replace(config, account=account, simulator=simulator)

    monkeypatch.setattr(run, "draw_config", draw_with_wallet)
    outcome = run.run(SEED, 30, plan=faults.no_faults())
    assert outcome.violations == (), run.report(outcome)
    assert outcome.posts > 0
    assert outcome.fills > 0
    assert outcome.cleared == {}
