"""The venue's contracts by address and name, as far as trading needs them.

Holds no rule; which of them must be allowed to move what stands in `approvals.py`.
Source: https://docs.polymarket.com/resources/contracts (2026-09-28); polymarket-client 0.14.0,
`environments.py` (2026-11), names the same.
"""

from typing import Final

from shared.venue.order_hash import EXCHANGE_V2, EXCHANGE_V2_NEG_RISK, EXCHANGE_V3

COLLATERAL: Final = "0xC011a7E12a19f7B1f670d46F03B03f3342E82DFB"
CONDITIONAL_TOKENS: Final = "0x4D97DCd97eC945f40cF65F87097ACe5EA0476045"
POSITION_MANAGER: Final = "0x006F54F7f9A22e0000CC2AB60031000000ae9fEF"
SAFE_MULTISEND: Final = "0xA238CBeb142c10Ef7Ad8442C6D1f9E89e07e7761"
RELAY_HUB: Final = "0xD216153c06E857cD7f72665E0aF1d7D82172F494"
NEG_RISK_ADAPTER: Final = "0xd91E80cF2E7be2e162c6513ceD06f1dD0dA35296"

TRADED: Final[tuple[tuple[str, str], ...]] = (
    (COLLATERAL, "pUSD"),
    (CONDITIONAL_TOKENS, "ConditionalTokens"),
    (POSITION_MANAGER, "PositionManager"),
    (EXCHANGE_V2, "CTFExchange"),
    (EXCHANGE_V2_NEG_RISK, "NegRiskExchange"),
    (EXCHANGE_V3, "ExchangeV3"),
)
"""What every order rests on: where code must be before anything is approved."""

_NAMES: dict[str, str] = {
    address.lower(): name
    for address, name in (*TRADED, (NEG_RISK_ADAPTER, "NegRiskAdapter of the first protocol"))
}


def contract_name(address: str) -> str:
    """Return what people call a contract, `unknown` for one that is not ours."""
    return _NAMES.get(address.lower(), "unknown")
