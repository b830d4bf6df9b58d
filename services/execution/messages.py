"""What execution's own edges tell its core, beyond the messages that every process knows."""

from shared.effects import Message


class IdentityFound(Message, frozen=True):
    """Key and credentials are there: who trades.

    Attributes:
        account: Name of the configuration.
        wallet: Maker address, lower case: whose money it is.
        signer: Address named as the signer of an order.
        signature_type: 0 for a plain key.
        api_key_id: Public id of the API key.
    """

    account: str
    wallet: str
    signer: str
    signature_type: int
    api_key_id: str


class IdentityMissing(Message, frozen=True):
    """Key or credentials cannot be used yet; the reason is for people and holds no secret."""

    reason: str


class PanicSeen(Message, frozen=True):
    """Whether the PANIC file stands in the data directory; told at start and at each change."""

    is_present: bool
