"""What the venue's log tells of our trades is judged: each checker is seen to fail, and to hold."""

import msgspec
import pytest

from ops.simulation.checkers import Findings, Intent
from ops.simulation.own_trades import CountChecker, OwnTradeChecker
from ops.simulation.run import run
from services.execution.core import ExecutionCore
from services.execution.gateway import Gateway
from services.execution.may_send import PlaceOrder
from services.execution.signer import OrderSigner
from shared.identifiers import OrderHash
from shared.venue.auth import Credentials
from shared.venue.orders_wire import PostOrder
from tests.simulation.planted import in_execution

QUOTE, EXIT = OrderHash("0x01"), OrderHash("0x02")


class Ledger:
    def intent(self, order_id: OrderHash) -> Intent | None:
        purpose = "quote" if order_id == QUOTE else "unwind"
        return Intent(order_id, "intent", "LIVE", 5, purpose)

    def exposed(self, intent: str) -> list[Intent]:
        return []


class Venue:
    def open_ids(self) -> list[OrderHash]:
        return [QUOTE, EXIT]

    def filled_e6(self, order_id: OrderHash) -> int | None:
        return 0


class TakesWithQuotes(Gateway):
    """Planted: quotes are sent without asking the venue to refuse those that would take."""

    def _signed(self, signer: OrderSigner, who: Credentials, order: PlaceOrder) -> PostOrder:
        post = super()._signed(signer, who, order)
        return msgspec.structs.replace(post, post_only=False)


def judged(*fills: tuple[str, OrderHash, str]) -> list[str]:
    findings = Findings(lambda: 0)
    checker = OwnTradeChecker(findings, Ledger())
    for fill in fills:
        checker.filled(*fill)
    return [violation.rule for violation in findings.violations]


@pytest.mark.req("INV-12")
def test_quote_that_takes_is_found_and_an_exit_may_take() -> None:
    assert judged(("t1", QUOTE, "TAKER")) == ["INV-12"]
    assert judged(("t1", QUOTE, "MAKER"), ("t2", EXIT, "TAKER")) == []


@pytest.mark.req("EX-26")
def test_trade_between_two_orders_of_ours_is_found() -> None:
    assert judged(("t1", EXIT, "TAKER"), ("t1", QUOTE, "MAKER")) == ["EX-26"]


@pytest.mark.req("EX-24")
@pytest.mark.parametrize(("orders_max", "found"), [(1, ["EX-24"]), (2, [])])
def test_more_live_orders_than_allowed_are_found(orders_max: int, found: list[str]) -> None:
    findings = Findings(lambda: 0)
    CountChecker(findings, orders_max).judge_venue(Venue())
    assert [violation.rule for violation in findings.violations] == found


@pytest.mark.slow
@pytest.mark.req("INV-12", "TST-2")
def test_quotes_that_may_take_are_found_by_the_seeds() -> None:
    builders = in_execution(ExecutionCore, TakesWithQuotes)
    for seed in range(1, 9):
        outcome = run(seed, builders=builders)
        if outcome.violations:
            assert outcome.violations[0].rule == "INV-12", outcome.violations
            return
    pytest.fail("eight seeds have not found quotes that take")
