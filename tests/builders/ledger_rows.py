"""Valid rows of the ledger; one keyword spoils one of them."""

from typing import Any

import msgspec

from shared.identifiers import ConditionId, OrderHash, StrategyName, TokenId, TradeId
from shared.ledger_schema import FillRecord, OrderRecord
from shared.units import MoneyE6, PriceE4, SizeE6, WallMs, WallNs


def build_order_record(**spoil: Any) -> OrderRecord:
    """Return an intent: six shares bid at forty-nine cents."""
    record = OrderRecord(
        order_id=OrderHash("0x" + "ab" * 32),
        account="main",
        wallet="0x" + "1" * 40,
        api_key_id="key",
        strategy=StrategyName("market_making"),
        leg_group="",
        epoch=3,
        incarnation="00000000000000ff",
        intent="0xm/1/BUY/0",
        purpose="quote",
        market=ConditionId("0xm"),
        token=TokenId("1"),
        side="BUY",
        level=0,
        price_e4=PriceE4(4_900),
        size_e6=SizeE6(6_000_000),
        post_only=True,
        reduce_only=False,
        state="INTENDED",
        filled_e6=SizeE6(0),
        reason="",
        salt=2**53 - 1,
        timestamp_ms=WallMs(1_790_000_000_000),
        maker_e6=2_940_000,
        taker_e6=6_000_000,
        expiration_s=1_790_000_182,
        lease_until_wall_ns=WallNs(1_790_000_000 * 10**9 + 300_000_000),
        deadline_wall_ns=WallNs(1_790_000_003 * 10**9),
        created_wall_ns=WallNs(1_790_000_000 * 10**9),
        sent_wall_ns=WallNs(0),
        updated_wall_ns=WallNs(1_790_000_000 * 10**9),
    )
    return msgspec.structs.replace(record, **spoil)


def build_fill_record(**spoil: Any) -> FillRecord:
    """Return a matched leg: two shares bought at forty-nine cents as a maker."""
    fill = FillRecord(
        trade_id=TradeId("t1"),
        order_id=OrderHash("0x" + "ab" * 32),
        account="main",
        strategy=StrategyName("market_making"),
        market=ConditionId("0xm"),
        token=TokenId("1"),
        side="BUY",
        price_e4=PriceE4(4_900),
        size_e6=SizeE6(2_000_000),
        role="MAKER",
        settlement="MATCHED",
        fee_e6=MoneyE6(0),
        match_ms=WallMs(1_790_000_000_000),
        updated_wall_ns=WallNs(1_790_000_000 * 10**9),
    )
    return msgspec.structs.replace(fill, **spoil)
