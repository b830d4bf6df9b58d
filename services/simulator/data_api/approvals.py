"""The approvals that trading needs: which contract may move which token.

Source: https://docs.polymarket.com/resources/contracts (2026-09-28); which pairs are asked for:
polymarket-client 0.14.0, trading approvals.
"""

from services.simulator.accounts import UNLIMITED, Account
from services.simulator.discovery.rows import Row
from shared.venue.contracts import COLLATERAL, CONDITIONAL_TOKENS, POSITION_MANAGER
from shared.venue.order_hash import EXCHANGE_V2, EXCHANGE_V2_NEG_RISK, EXCHANGE_V3

CHAIN_ID = 137

COLLATERAL_ADAPTER = "0xAdA100Db00Ca00073811820692005400218FcE1f"
NEG_RISK_COLLATERAL_ADAPTER = "0xadA2005600Dec949baf300f4C6120000bDB6eAab"
ROUTER = "0x12121212006e4CD160D18e3f00711DA5c3372600"
PERPS_DEPOSIT = "0xDCa4af75705dbB50f62437045afF9921947917d2"
AUTO_REDEEMER = "0xa1200000d0002264C9a1698e001292D00E1b00af"
BINARY_MODULE = "0x1000008dD9001B968442c1000017eaE6E0dA00Ba"
NEG_RISK_MODULE = "0x200000900045e3B6259600682756002200028933"

_ERC20_SPENDERS = (
    EXCHANGE_V2,
    EXCHANGE_V2_NEG_RISK,
    COLLATERAL_ADAPTER,
    NEG_RISK_COLLATERAL_ADAPTER,
    ROUTER,
    EXCHANGE_V3,
    PERPS_DEPOSIT,
)
_OPERATORS = {
    CONDITIONAL_TOKENS: (
        EXCHANGE_V2,
        EXCHANGE_V2_NEG_RISK,
        COLLATERAL_ADAPTER,
        NEG_RISK_COLLATERAL_ADAPTER,
        AUTO_REDEEMER,
        BINARY_MODULE,
        NEG_RISK_MODULE,
    ),
    POSITION_MANAGER: (ROUTER, EXCHANGE_V3, AUTO_REDEEMER),
}


TOKENS = tuple(_OPERATORS)
"""Contracts that hold positions."""


def approval_rows(account: Account | None) -> list[Row]:
    """Return all pairs as a wallet has approved them: without a bound unless it was restricted."""
    rows: list[Row] = []
    for spender in _ERC20_SPENDERS:
        allowed = allowance_of(account, spender, conditional=False)
        text = "max" if allowed == UNLIMITED else str(allowed)
        rows.append(_row(COLLATERAL, spender, "ERC20", approved=allowed > 0) | {"amount": text})
    for token, operators in _OPERATORS.items():
        for operator in operators:
            allowed = allowance_of(account, operator, conditional=True)
            rows.append(_row(token, operator, "ERC1155", approved=allowed > 0))
    return rows


def allowance_of(account: Account | None, spender: str, *, conditional: bool) -> int:
    """Return how much a contract may move for a wallet, known or not."""
    if account is None:
        return UNLIMITED
    return account.allowance(spender, conditional=conditional)


def _row(token: str, spender: str, standard: str, *, approved: bool) -> Row:
    return {"token": token, "spender": spender, "standard": standard, "approved": approved}
