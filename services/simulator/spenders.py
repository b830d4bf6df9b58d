"""Which exchanges may move what, by the asset type of a request for balance and allowance."""

from shared.venue.order_hash import EXCHANGE_V2, EXCHANGE_V2_NEG_RISK, EXCHANGE_V3

SPENDERS: dict[str, tuple[str, ...]] = {
    "COLLATERAL": (EXCHANGE_V2, EXCHANGE_V2_NEG_RISK, EXCHANGE_V3),
    "CONDITIONAL": (EXCHANGE_V2, EXCHANGE_V2_NEG_RISK),
    "CONDITIONAL-V2": (EXCHANGE_V3,),
}
"""That the venue names them so is documented for collateral; for tokens it follows from who
settles them. Source: https://docs.polymarket.com/api-reference (CLOB OpenAPI, 2026-09-28)."""
