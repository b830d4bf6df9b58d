"""KS-14 for markets that have ended and still owe us shares: compared until they are paid out."""

import msgspec
import pytest

from services.execution.positions import Positions
from services.execution.reconciliation.compared_tokens import (
    ENDED_TOKENS_MAX,
    TOKENS_MAX,
    compared_tokens,
)
from shared.facts import MarketInfo
from shared.identifiers import ConditionId, TokenId
from shared.ledger_schema import FillRecord
from shared.units import WallMs
from tests.builders.execution import Rig
from tests.builders.ledger_rows import build_fill_record
from tests.builders.markets import UP, instant, market_info

SHARE = 1_000_000
NOW = instant()
SOON_MS = 50_000


def owed(shares: int = 6) -> Rig:
    """Shares are held of a market that has ended, whose winner nobody knows yet."""
    rig = Rig()
    rig.quote()
    (order_id,) = rig.venue.open
    rig.venue.matched[order_id] = shares * SHARE
    rig.venue.gone[order_id] = "MATCHED"
    del rig.venue.open[order_id]
    rig.wishes = ()
    rig.hear("feed_user", "feed.user", rig.trade(order_id, shares, status="CONFIRMED"))
    rig.info = msgspec.structs.replace(rig.info, closed=True, end_ms=rig.now.wall_ms)
    rig.run(SOON_MS)
    assert rig.pong().mismatch is None
    return rig


def mismatch_within(rig: Rig, milliseconds: int) -> str:
    for _ in range(milliseconds // 100):
        rig.run(100)
        mismatch = rig.pong().mismatch
        if mismatch is not None:
            rig.run(200)
            return str(mismatch.text)
    return ""


def adopted(rig: Rig) -> list[FillRecord]:
    return [row for row in rig.journal if isinstance(row, FillRecord) and row.role == "ADOPTED"]


@pytest.mark.req("KS-14")
@pytest.mark.parametrize("theirs", [2, 9])
def test_shares_of_an_ended_market_that_differ_pause_with_both_numbers(theirs: int) -> None:
    rig = owed()
    rig.venue.balances[UP] = theirs * SHARE
    text = mismatch_within(rig, SOON_MS)
    assert f"position in {UP}: ours 6000000, theirs {theirs}000000" in text
    (leg,) = adopted(rig)
    assert leg.size_e6 == abs(theirs - 6) * SHARE
    assert rig.held(UP) == theirs * SHARE


@pytest.mark.req("KS-14")
@pytest.mark.parametrize("dust_e6", [0, 10_000])
def test_shares_that_are_gone_after_the_end_may_have_been_paid_out(dust_e6: int) -> None:
    rig = owed()
    rig.venue.balances[UP] = dust_e6
    assert mismatch_within(rig, SOON_MS) == ""
    assert adopted(rig) == []
    assert rig.held(UP) == 6 * SHARE, "until somebody says what they were worth"
    age_ns = rig.core._parts.full.age_ns(rig.now)
    assert age_ns is not None
    assert age_ns < 40_000 * 1_000_000


@pytest.mark.req("KS-14")
def test_shares_that_are_gone_before_the_end_are_missed() -> None:
    rig = owed()
    rig.info = msgspec.structs.replace(
        rig.info, closed=False, end_ms=WallMs(rig.now.wall_ms + 600_000)
    )
    rig.venue.balances[UP] = 0
    assert "theirs 0" in mismatch_within(rig, SOON_MS)


def test_paid_out_shares_are_compared_no_more() -> None:
    rig = owed()
    rig.info = msgspec.structs.replace(rig.info, winner=0)
    rig.venue.balances[UP] = 9 * SHARE
    assert mismatch_within(rig, SOON_MS) == ""
    assert rig.held(UP) == 0


# --- which tokens, and in which order ---------------------------------------------


def market(number: int, end_ms: int, **spoil: object) -> MarketInfo:
    tokens = TokenId(f"{number}1"), TokenId(f"{number}2")
    info = market_info(condition_id=ConditionId(f"0x{number}"), tokens=tokens, end_ms=end_ms)
    return msgspec.structs.replace(info, **spoil)


def holding(*markets: MarketInfo, side: int = 0) -> Positions:
    fills = tuple(
        build_fill_record(
            trade_id=f"t{place}", market=each.condition_id, token=each.tokens[side], side="BUY"
        )
        for place, each in enumerate(markets)
    )
    return Positions(fills, ())


def test_running_markets_come_first_and_what_ended_longest_ago_last() -> None:
    running = market(1, NOW.wall_ms + 1)
    old, recent = market(2, NOW.wall_ms - 9_000), market(3, NOW.wall_ms)
    tokens = compared_tokens((old, recent, running), holding(old, recent), NOW)
    assert list(tokens) == ["11", "12", "31", "21"]


def test_ended_token_is_compared_only_while_shares_of_it_are_owed() -> None:
    ended, decided = market(1, NOW.wall_ms), market(2, NOW.wall_ms, winner=0)
    sold = Positions(
        (
            build_fill_record(market=ended.condition_id, token=ended.tokens[0], side="BUY"),
            build_fill_record(
                trade_id="t2", market=ended.condition_id, token=ended.tokens[0], side="SELL"
            ),
        ),
        (),
    )
    assert compared_tokens((ended,), Positions((), ()), NOW) == {}
    assert compared_tokens((decided,), holding(decided), NOW) == {}
    assert list(compared_tokens((ended,), holding(ended, side=1), NOW)) == ["12"]
    assert compared_tokens((ended,), sold, NOW) != {}, "a sale may fail: it has not settled"


@pytest.mark.parametrize(
    ("running", "ended", "expected"),
    [
        (0, ENDED_TOKENS_MAX + 5, ENDED_TOKENS_MAX),
        (TOKENS_MAX // 2 - 1, 5, TOKENS_MAX),
        (TOKENS_MAX // 2 + 4, 5, TOKENS_MAX),
    ],
)
def test_round_is_bounded(running: int, ended: int, expected: int) -> None:
    before = [market(number, NOW.wall_ms - number) for number in range(ended)]
    after = [market(1_000 + number, NOW.wall_ms + 1) for number in range(running)]
    tokens = compared_tokens((*before, *after), holding(*before), NOW)
    assert len(tokens) == expected
