"""What exchanges may not move is not offered to them, and people are told what mends it."""

from typing import Any

import pytest

from shared.facts import Alert, Explanations
from shared.units import SizeE6
from shared.venue.order_hash import EXCHANGE_V2, EXCHANGE_V2_NEG_RISK, EXCHANGE_V3
from tests.builders.execution import Rig, identity, target
from tests.builders.markets import UP

MENDED_BY = "run `interlock approve`"


def started(**allowances: str) -> Rig:
    """Return a rig that has read these allowances at its start."""
    rig = Rig()
    rig.venue.allowances.update(allowances)
    rig.tell(identity())
    rig.run(4_000)
    return rig


def cause(rig: Rig) -> str:
    rig.run(100)
    return rig.status().cause


def predicate(rig: Rig, name: str) -> Any:
    rig.run(1_100)
    scopes = rig.published(Explanations)[-1].scopes
    return next(row for scope in scopes for row in scope.predicates if row.name == name)


@pytest.mark.req("VEN-7")
def test_start_waits_until_balance_and_approvals_are_read() -> None:
    rig = Rig()
    rig.venue.silent.add("read")
    rig.tell(identity())
    rig.run(4_000)
    assert not rig.pong().proven_start
    rig.venue.silent.clear()
    rig.run(4_000)
    assert rig.pong().proven_start


@pytest.mark.req("VEN-7")
@pytest.mark.parametrize(
    "answer", [{"balance": "x"}, {"balance": "-1"}, {"balance": "9" * 79}, {"balance": "1.5"}]
)
def test_answer_without_numbers_says_nothing_and_start_waits(answer: dict[str, str]) -> None:
    rig = Rig()
    rig.venue.balance = answer["balance"]
    rig.tell(identity())
    rig.run(4_000)
    assert rig.core.health() == ("starting", "approvals: COLLATERAL: no numbers")


@pytest.mark.req("VEN-7")
def test_wallet_that_has_approved_nothing_buys_nothing_and_says_what_mends_it() -> None:
    nothing = dict.fromkeys((EXCHANGE_V2, EXCHANGE_V2_NEG_RISK, EXCHANGE_V3), "0")
    rig = started(**nothing)
    rig.wishes = (target(),)
    rig.run(500)
    assert rig.venue.posts == []
    expected = f"allowance 0 for spender {EXCHANGE_V2} (CTFExchange); {MENDED_BY}"
    assert cause(rig) == f"approvals {expected}"
    alerts = [row for row in rig.published(Alert) if row.name == "approvals_missing"]
    assert [row.text for row in alerts] == [expected]
    rig.venue.allowances[EXCHANGE_V2] = str(2**256 - 1)
    rig.run(6_000)
    assert len(rig.venue.open) == 1
    assert any("/update" in one.path for one in rig.venue.seen("/balance-allowance"))


@pytest.mark.req("VEN-7")
@pytest.mark.req("EX-14")
def test_only_orders_that_need_the_missing_approval_are_denied() -> None:
    rig = started(**{EXCHANGE_V2_NEG_RISK: "0"})
    rig.wishes = (target(),)
    rig.run(500)
    assert len(rig.venue.open) == 1, "this market's exchange is the other one"
    rig = Rig()
    rig.venue.allowances[EXCHANGE_V2_NEG_RISK] = "0"
    rig.info = type(rig.info)(
        **{name: getattr(rig.info, name) for name in rig.info.__struct_fields__}
        | {"neg_risk": True}
    )
    rig.start()
    rig.wishes = (target(),)
    rig.run(500)
    assert rig.venue.posts == []
    assert rig.denials()["approval"] == 1
    row = predicate(rig, "approval_buy")
    assert not row.holds
    assert "NegRiskExchange" in row.value
    assert MENDED_BY in row.value
    assert row.age_ns is not None


@pytest.mark.req("VEN-7")
def test_exchange_that_the_venue_does_not_name_is_not_traded_on() -> None:
    rig = Rig()
    del rig.venue.allowances[EXCHANGE_V2]
    rig.start()
    rig.wishes = (target(),)
    rig.run(500)
    assert rig.venue.posts == []
    assert "contracts have changed" in predicate(rig, "approval_buy").value


@pytest.mark.req("VEN-7")
@pytest.mark.parametrize(("version", "trades"), [(1, False), (2, True), (3, True), (4, False)])
def test_venue_of_another_order_version_is_not_traded_on(version: int, trades: bool) -> None:
    rig = Rig()
    rig.venue.version = version
    rig.start()
    rig.wishes = (target(),)
    rig.run(500)
    assert bool(rig.venue.posts) is trades
    assert trades or f"orders of version {version}" in cause(rig)


@pytest.mark.req("EX-14")
@pytest.mark.parametrize(("balance", "trades"), [(2_879_999, False), (2_880_000, True)])
def test_buy_that_the_balance_does_not_cover_is_denied(balance: int, trades: bool) -> None:
    rig = Rig()
    rig.venue.balance = str(balance)
    rig.start()
    rig.wishes = (target(),)
    rig.run(300)
    assert bool(rig.venue.posts) is trades
    if not trades:
        assert "balance" in rig.denials()
        rig.venue.balance = "2880000"
        rig.run(6_000)
        assert len(rig.venue.open) == 1


@pytest.mark.req("VEN-7")
@pytest.mark.parametrize(("allowance", "trades"), [(2_879_999, False), (2_880_000, True)])
def test_allowance_must_cover_the_order(allowance: int, trades: bool) -> None:
    rig = started(**{EXCHANGE_V2: str(allowance)})
    rig.wishes = (target(),)
    rig.run(300)
    assert bool(rig.venue.posts) is trades


@pytest.mark.req("VEN-7")
def test_refusal_for_an_allowance_makes_it_be_read_again_soon() -> None:
    rig = started()
    rig.run(2_000)
    before = len(rig.venue.seen("/balance-allowance"))
    rig.venue.refusal = (400, "not enough balance / allowance: the allowance is not enough")
    rig.wishes = (target(),)
    rig.run(200)
    rig.venue.refusal = None
    rig.wishes = ()
    rig.run(6_000)
    assert len(rig.venue.seen("/balance-allowance")) > before


@pytest.mark.req("VEN-7")
def test_what_stands_is_read_once_a_minute() -> None:
    rig = started()
    rig.run(2_000)
    before = len(rig.venue.seen("/balance-allowance?asset_type=COLLATERAL"))
    rig.run(50_000)
    assert len(rig.venue.seen("/balance-allowance?asset_type=COLLATERAL")) == before
    rig.run(15_000)
    assert len(rig.venue.seen("/balance-allowance?asset_type=COLLATERAL")) == before + 1


@pytest.mark.req("EX-21")
def test_dry_run_needs_no_approval() -> None:
    rig = Rig()
    rig.venue.allowances.clear()
    rig.core._parts.approvals._is_dry = True
    rig.start()
    rig.wishes = (target(token=UP, size=SizeE6(6_000_000)),)
    rig.run(300)
    assert len(rig.venue.posts) == 1
