"""Why the venue refuses: its prose, turned into reasons once and for all.

Only texts that are known to mean "this order is not and will not be in the market" become a
reason. Everything else, known or new, is left to be UNKNOWN by `outcomes.py`.
Source: https://docs.polymarket.com/resources/error-codes (2026-09-28) and texts that users
have reported, each beside its row.
"""

import enum

TEXT_CHARS_MAX = 300
"""Enough of the venue's prose for a person, bounded for logs and the ledger."""


class Refusal(enum.Enum):
    """Why the venue refused an order or a request; the value is a word for logs."""

    POST_ONLY_WOULD_CROSS = "post_only_would_cross"
    TICK = "tick"
    MIN_SIZE = "min_size"
    MIN_VALUE = "min_value"
    PRECISION = "precision"
    BALANCE = "balance"
    ALLOWANCE = "allowance"
    EXPIRATION = "expiration"
    NOT_FILLED = "not_filled"
    NOT_READY = "not_ready"
    MARKET_GONE = "market_gone"
    PAYLOAD = "payload"
    SIGNATURE = "signature"
    VERSION = "version"
    OWNER = "owner"
    WALLET = "wallet"
    CANCELED_ON_CHAIN = "canceled_on_chain"
    UNAUTHORISED = "unauthorised"
    BANNED = "banned"
    CLOSED_ONLY = "closed_only"
    RESTRICTED = "restricted"
    RATE_LIMITED = "rate_limited"
    RESTARTING = "restarting"
    POST_ONLY_MODE = "post_only_mode"
    CANCEL_ONLY_MODE = "cancel_only_mode"
    DISABLED = "disabled"
    TIMED_OUT = "timed_out"
    """The venue's own queue was too long: refused before the book."""


class Doubt(enum.Enum):
    """Why nobody knows what became of an order; the value is a word for logs."""

    DUPLICATED = "duplicated"
    """The venue has an order with this hash already: it exists, ask for it."""

    SERVER_ERROR = "server_error"
    AMBIGUOUS = "ambiguous"
    """A text that does not say whether the order was taken."""

    UNRECOGNISED = "unrecognised"
    """A text or status that we do not know."""

    GARBLED = "garbled"
    """Not JSON, cut short, or not the shape of an answer."""

    CONTRADICTORY = "contradictory"
    """Parts of the answer say opposite things, or it names another order."""


_DOUBTFUL: tuple[tuple[str, Doubt], ...] = (
    ("duplicated", Doubt.DUPLICATED),
    ("context canceled", Doubt.AMBIGUOUS),
    ("could not run the execution", Doubt.AMBIGUOUS),
    ("could not insert order", Doubt.AMBIGUOUS),
    ("match delayed", Doubt.AMBIGUOUS),
    ("timed out", Doubt.AMBIGUOUS),
    ("timeout", Doubt.AMBIGUOUS),
)
"""Parts of texts, lower case, that leave an order's fate open. Looked at first."""

_REFUSING: tuple[tuple[str, Refusal], ...] = (
    ("post-only mode", Refusal.POST_ONLY_MODE),
    ("order crosses book", Refusal.POST_ONLY_WOULD_CROSS),
    ("crosses the book", Refusal.POST_ONLY_WOULD_CROSS),
    ("minimum tick size rule", Refusal.TICK),
    ("lower than the minimum", Refusal.MIN_SIZE),
    # https://github.com/nautechsystems/nautilus_trader/issues/3874
    ("min size: $", Refusal.MIN_VALUE),
    # https://github.com/Polymarket/py-clob-client-v2/issues/99
    ("invalid amounts", Refusal.PRECISION),
    ("allowance is not enough", Refusal.ALLOWANCE),
    ("not enough balance", Refusal.BALANCE),
    ("invalid expiration", Refusal.EXPIRATION),
    ("couldn't be fully filled", Refusal.NOT_FILLED),
    ("no orders found to match with fak", Refusal.NOT_FILLED),
    ("market is not yet ready", Refusal.NOT_READY),
    ("no orderbook exists", Refusal.MARKET_GONE),
    ("market not found", Refusal.MARKET_GONE),
    ("canceled in the ctf exchange contract", Refusal.CANCELED_ON_CHAIN),
    ("invalid signature", Refusal.SIGNATURE),
    # https://github.com/Polymarket/polymarket-cli/issues/69
    ("order_version_mismatch", Refusal.VERSION),
    ("invalid nonce", Refusal.VERSION),
    ("of the api key", Refusal.OWNER),
    # https://github.com/Polymarket/py-clob-client-v2/issues/53
    ("maker address not allowed", Refusal.WALLET),
    ("address banned", Refusal.BANNED),
    ("closed only mode", Refusal.CLOSED_ONLY),
    ("restricted in your region", Refusal.RESTRICTED),
    ("rate limit exceeded", Refusal.RATE_LIMITED),
    ("too many requests", Refusal.RATE_LIMITED),
    ("cancel-only", Refusal.CANCEL_ONLY_MODE),
    ("trading is currently disabled", Refusal.DISABLED),
    ("trading is disabled", Refusal.DISABLED),
    # https://github.com/Polymarket/py-clob-client/issues/286
    ("service is not ready", Refusal.RESTARTING),
    ("too many orders in payload", Refusal.PAYLOAD),
    ("invalid order payload", Refusal.PAYLOAD),
    ("invalid orderid", Refusal.PAYLOAD),
    ("unauthorized", Refusal.UNAUTHORISED),
    ("invalid api key", Refusal.UNAUTHORISED),
    ("invalid l1 request headers", Refusal.UNAUTHORISED),
)
"""Parts of texts, lower case, that refuse for good. The first that is found counts."""


def classify(text: str) -> Refusal | Doubt:
    """Return what one of the venue's texts means for the order that it answers."""
    lower = text.lower()
    for part, doubt in _DOUBTFUL:
        if part in lower:
            return doubt
    for part, refusal in _REFUSING:
        if part in lower:
            return refusal
    return Doubt.UNRECOGNISED
