"""Transactions of plain keys: taken in, mined after a while, and then their approvals hold.

Takes approvals alone, signed by somebody whose number is next; moves no coin and asks for no
gas, which plain keys of the simulator have without end.
"""

import msgspec

from services.simulator.accounts import Accounts
from services.simulator.chain.wire import CHAIN_ID, Approval, approval_of
from services.simulator.discovery.rows import Row
from services.simulator.keys import recover_address
from shared.units import Instant
from shared.venue.transactions import (
    NoTransaction,
    read_transaction,
    signing_digest,
    transaction_hash,
)
from shared.venue.wallet_calls import WalletCall

GAS_PRICE = 30_000_000_000
PENDING_MAX = 1_000


class Refused(Exception):
    """A node does not take a transaction; its text says why."""


class Pending(msgspec.Struct, eq=False):
    """A transaction that was taken.

    Attributes:
        approval: None for one that reverts, as everything but an approval does here.
        is_done: Whether its approval holds.
    """

    sender: str
    sent_ms: int
    approval: Approval | None
    is_done: bool = False


class Mempool:
    """What was sent, in its order."""

    def __init__(self, accounts: Accounts, mined_ms: int) -> None:
        """Set whose allowances change, and how long mining takes."""
        self._accounts = accounts
        self._mined_ms = mined_ms
        self._pending: dict[str, Pending] = {}
        self._counts: dict[str, int] = {}

    def count(self, address: str) -> int:
        """Return how many transactions an address has sent."""
        return self._counts.get(address.lower(), 0)

    def send(self, raw: str, now: Instant) -> str:
        """Take a transaction in and return its hash.

        Raises:
            Refused: It is none, nobody has signed it, or its number is not the next.
        """
        try:
            found, signature = read_transaction(raw, CHAIN_ID)
            sender = recover_address(signing_digest(found), signature)
        except (NoTransaction, ValueError):
            raise Refused("invalid transaction") from None
        if sender is None:
            raise Refused("invalid sender")
        expected = self.count(sender)
        if found.nonce != expected:
            raise Refused(f"nonce {found.nonce}, not {expected}")
        if found.gas_price < GAS_PRICE or len(self._pending) >= PENDING_MAX:
            raise Refused("transaction underpriced, or too many")
        approval = approval_of(WalletCall(found.target, "0", found.data))
        name = transaction_hash(raw)
        self._pending[name] = Pending(sender, now.wall_ms, approval)
        self._counts[sender] = expected + 1
        return name

    def receipt(self, name: str, now: Instant) -> Row | None:
        """Return what became of a transaction, None while it waits or is not known."""
        self.mine(now)
        found = self._pending.get(name.lower())
        if found is None or not found.is_done:
            return None
        status = "0x0" if found.approval is None else "0x1"
        return {"transactionHash": name, "status": status, "from": found.sender}

    def mine(self, now: Instant) -> None:
        """Let come true what has waited long enough."""
        for found in self._pending.values():
            if found.is_done or now.wall_ms - found.sent_ms < self._mined_ms:
                continue
            found.is_done = True
            if found.approval is not None:
                self._accounts.allow(
                    self._accounts.get(found.sender),
                    found.approval.spender,
                    found.approval.amount,
                    conditional=found.approval.conditional,
                )
