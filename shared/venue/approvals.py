"""The approvals that orders need: who may move which token of a wallet, and how that is said.

An exchange settles a buy by taking collateral and a sell by taking outcome tokens, so each needs
an allowance of collateral and the operator's right over the tokens of its protocol. Splitting,
merging and redeeming need more; orders do not. Sends nothing.

Source: https://docs.polymarket.com/resources/contracts and
https://docs.polymarket.com/trading/wallets-auth (2026-09-28); calls are those of ERC-20
(https://eips.ethereum.org/EIPS/eip-20) and ERC-1155 (https://eips.ethereum.org/EIPS/eip-1155).
"""

import re
from typing import Final

import msgspec

from shared.venue.contracts import (
    COLLATERAL,
    CONDITIONAL_TOKENS,
    POSITION_MANAGER,
    contract_name,
)
from shared.venue.order_hash import EXCHANGE_V2, EXCHANGE_V2_NEG_RISK, EXCHANGE_V3
from shared.venue.typed_data import address_word, uint_word
from shared.venue.wallet_calls import WalletCall

UNLIMITED: Final = 2**256 - 1

ALLOWANCE_LOW_E6: Final = 10**12
"""A million dollars: an allowance that was given without a bound is far above it for good."""

APPROVE: Final = "0x095ea7b3"
"""Selector of `approve(address,uint256)`, of a contract that holds money."""

APPROVE_ALL: Final = "0xa22cb465"
"""Selector of `setApprovalForAll(address,bool)`, of a contract that holds positions."""

ALLOWANCE: Final = "0xdd62ed3e"
"""Selector of `allowance(address,address)`."""

IS_APPROVED_FOR_ALL: Final = "0xe985e9c5"
"""Selector of `isApprovedForAll(address,address)`."""

_WORD_DIGITS = 64
_GIVING = re.compile(rf"({APPROVE}|{APPROVE_ALL})0{{24}}([0-9a-f]{{40}})([0-9a-f]{{64}})")


class Approval(msgspec.Struct, frozen=True):
    """A right that a wallet gives.

    Attributes:
        token: Contract of what may be moved.
        spender: Contract that may move it.
        is_operator: Whether it is the right over all outcome tokens, not an allowance of money.
    """

    token: str
    spender: str
    is_operator: bool

    @property
    def words(self) -> str:
        """Say for people what it is."""
        what = "operator of" if self.is_operator else "allowance of"
        return f"{what} {contract_name(self.token)} for {contract_name(self.spender)}"


TRADING: Final[tuple[Approval, ...]] = (
    Approval(COLLATERAL, EXCHANGE_V2, is_operator=False),
    Approval(COLLATERAL, EXCHANGE_V2_NEG_RISK, is_operator=False),
    Approval(COLLATERAL, EXCHANGE_V3, is_operator=False),
    Approval(CONDITIONAL_TOKENS, EXCHANGE_V2, is_operator=True),
    Approval(CONDITIONAL_TOKENS, EXCHANGE_V2_NEG_RISK, is_operator=True),
    Approval(POSITION_MANAGER, EXCHANGE_V3, is_operator=True),
)
"""Everything that an order in any market needs, money first."""


def giving_call(approval: Approval) -> WalletCall:
    """Return the call by which a wallet gives an approval, money without a bound."""
    selector, amount = (APPROVE_ALL, 1) if approval.is_operator else (APPROVE, UNLIMITED)
    data = selector + address_word(approval.spender).hex() + uint_word(amount).hex()
    return WalletCall(approval.token, "0", data)


def reading_data(approval: Approval, owner: str) -> str:
    """Return the data of the call that asks a token whether an approval stands."""
    selector = IS_APPROVED_FOR_ALL if approval.is_operator else ALLOWANCE
    return selector + address_word(owner).hex() + address_word(approval.spender).hex()


def is_standing(approval: Approval, word: str) -> bool | None:
    """Tell from a token's answer whether an approval stands, None when it is no answer."""
    digits = word.removeprefix("0x")
    if len(digits) != _WORD_DIGITS or not word.startswith("0x"):
        return None
    try:
        amount = int(digits, 16)
    except ValueError:
        return None
    return amount == 1 if approval.is_operator else amount >= ALLOWANCE_LOW_E6


def given_by(call: WalletCall) -> tuple[str, int, bool] | None:
    """Return spender, amount and whether it is an operator's right that a call gives, or None."""
    found = _GIVING.fullmatch(call.data.lower())
    if found is None:
        return None
    selector, spender, word = found.groups()
    return "0x" + spender, int(word, 16), selector == APPROVE_ALL
