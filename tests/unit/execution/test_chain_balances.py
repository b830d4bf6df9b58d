"""A reading of the chain counts while it is fresh and nothing has moved since it was asked."""

import pytest

from services.execution.chain_balances import FRESH_NS, TOKENS_MAX, ChainBalances
from shared.identifiers import TokenId
from shared.units import BootNs

TOKEN = TokenId("1")


def told(balance: int | None = 5, read: int = 100) -> ChainBalances:
    chain = ChainBalances()
    chain.take(TOKEN, balance, BootNs(read))
    return chain


@pytest.mark.req("EX-22")
def test_balance_is_unknown_until_it_is_read_and_after_a_read_that_said_nothing() -> None:
    assert ChainBalances().fresh_e6(TOKEN, BootNs(1)) is None
    assert told(None).newest(TOKEN) is None
    chain = told()
    chain.take(TOKEN, None, BootNs(101))
    assert chain.newest(TOKEN) is None


def test_zero_is_a_balance() -> None:
    assert told(0).fresh_e6(TOKEN, BootNs(100)) == 0


@pytest.mark.parametrize(("age_ns", "expected"), [(FRESH_NS - 1, 5), (FRESH_NS, None)])
def test_old_reading_limits_nothing_and_is_still_shown(age_ns: int, expected: int | None) -> None:
    chain = told()
    assert chain.fresh_e6(TOKEN, BootNs(100 + age_ns)) == expected
    reading = chain.newest(TOKEN)
    assert reading is not None
    assert (reading.balance_e6, reading.read_ns) == (5, 100)


@pytest.mark.parametrize(("moved", "expected"), [(99, 5), (100, None), (101, None)])
def test_trade_that_moves_on_outdates_readings_asked_before(
    moved: int, expected: int | None
) -> None:
    chain = told()
    chain.move(TOKEN, BootNs(moved))
    assert chain.fresh_e6(TOKEN, BootNs(200)) == expected


def test_answer_to_an_older_question_is_no_news() -> None:
    chain = told(5, 100)
    chain.take(TOKEN, 9, BootNs(99))
    assert chain.fresh_e6(TOKEN, BootNs(100)) == 5


def test_memory_is_bounded() -> None:
    chain = ChainBalances()
    for number in range(TOKENS_MAX + 1):
        chain.take(TokenId(str(number)), 1, BootNs(1))
        chain.move(TokenId(str(number)), BootNs(0))
    assert chain.newest(TokenId("0")) is None
    assert chain.newest(TokenId(str(TOKENS_MAX))) is not None
