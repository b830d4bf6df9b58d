"""Balances, reservations and positions of everybody who trades at the simulator.

Moves are exact: what one account gives, others get, and what is neither with an account
nor on its way to one is the collateral behind outstanding pairs. Knows no order book.

Reservations follow https://docs.polymarket.com/trading/manage-orders (2026-09-28): open
orders of one side may together not exceed the balance they would use.
"""

from collections.abc import Iterator

import msgspec

from services.simulator.matching import Order
from services.simulator.standings import Standings
from shared.units import PRICE_ONE_E4, MoneyE6

UNLIMITED = 2**256 - 1

COLLATERAL = ""
"""Stands for collateral where otherwise a token id stands."""


class Move(msgspec.Struct, frozen=True):
    """An amount of collateral or of a token, in 1e-6, of one account."""

    account: str
    token: str
    amount: int


class Hidden(msgspec.Struct, frozen=True):
    """Something that has come in and that the venue has not read from the chain yet.

    Attributes:
        due_ns: Monotonic time at which it reads it.
    """

    token: str
    amount: int
    due_ns: int


_RESTRICTED_MAX = 2**63 - 1


def allowance_key(spender: str, *, conditional: bool) -> str:
    """Return under which name an exchange's allowance of collateral, or of tokens, is kept."""
    return ("tokens " if conditional else "collateral ") + spender.lower()


class Account(msgspec.Struct, eq=False):
    """What one address owns and what of it open orders have reserved, all in 1e-6.

    Attributes:
        limited: False for the simulator's own participants, which are never refused.
        tokens: Balance by token id; zero balances are removed.
        allowances: What exchanges may move where that was restricted.
        hidden: What has come in unseen.
    """

    address: str
    collateral: int
    limited: bool = True
    tokens: dict[str, int] = msgspec.field(default_factory=dict)
    reserved_collateral: int = 0
    reserved_tokens: dict[str, int] = msgspec.field(default_factory=dict)
    deposited: int = 0
    allowances: dict[str, int] = msgspec.field(default_factory=dict)
    hidden: list[Hidden] = msgspec.field(default_factory=list)

    def allowance(self, spender: str, *, conditional: bool) -> int:
        """Return how much an exchange may move, without bound unless it was restricted."""
        return self.allowances.get(allowance_key(spender, conditional=conditional), UNLIMITED)

    def balance(self, token: str) -> int:
        """Return the balance of a token, or of collateral."""
        return self.collateral if token == COLLATERAL else self.tokens.get(token, 0)

    def free(self, token: str) -> int:
        """Return the balance that no open order has reserved."""
        if token == COLLATERAL:
            return self.collateral - self.reserved_collateral
        return self.tokens.get(token, 0) - self.reserved_tokens.get(token, 0)

    def change(self, token: str, amount: int) -> None:
        """Add a positive or negative amount; a limited account never falls below zero."""
        if token == COLLATERAL:
            self.collateral += amount
            assert self.collateral >= 0 or not self.limited
            return
        left = self.tokens.get(token, 0) + amount
        assert left >= 0
        if left:
            self.tokens[token] = left
        else:
            self.tokens.pop(token, None)

    def reserve(self, token: str, amount: int) -> None:
        """Change what is reserved by a positive or negative amount."""
        if token == COLLATERAL:
            self.reserved_collateral += amount
            assert self.reserved_collateral >= 0
            return
        left = self.reserved_tokens.get(token, 0) + amount
        assert left >= 0
        if left:
            self.reserved_tokens[token] = left
        else:
            self.reserved_tokens.pop(token, None)


def order_reserve(order: Order) -> int:
    """Return what the rest of an order keeps reserved: collateral of a buy, tokens of a sell."""
    if order.side == "SELL":
        return order.remaining
    if order.money:
        return order.money
    return -(-order.price * order.remaining // PRICE_ONE_E4)


class Accounts:
    """All accounts, by lower-case address.

    Attributes:
        changed: Those opened or changed since somebody last emptied this.
        standings: Which of them may trade.
    """

    def __init__(
        self,
        collateral: MoneyE6,
        participant_collateral: MoneyE6,
        standings: Standings | None = None,
        *,
        lag_ns: int = 0,
        unapproved: tuple[str, ...] = (),
    ) -> None:
        """Set what accounts start with, and how late the venue sees what comes in.

        Args:
            collateral: Of a new account of a client.
            participant_collateral: Of a participant's.
            standings: Who may trade.
            lag_ns: From coming in to being seen.
            unapproved: Exchanges that a new account of a client has allowed nothing.
        """
        self._unapproved = {
            allowance_key(spender, conditional=conditional): 0
            for spender in unapproved
            for conditional in (False, True)
        }
        self._lag_ns = lag_ns
        self._now_ns = 0
        self.standings = standings or Standings()
        self._collateral = collateral
        self._participant_collateral = participant_collateral
        self._accounts: dict[str, Account] = {}
        self.changed: dict[str, Account] = {}

    def __iter__(self) -> Iterator[Account]:
        """Iterate over all accounts in the order of their creation."""
        return iter(self._accounts.values())

    def get(self, address: str) -> Account:
        """Return an account, opened with the starting collateral when it is new."""
        account = self._accounts.get(address)
        if account is None:
            account = Account(address, self._collateral, deposited=self._collateral)
            account.allowances.update(self._unapproved)
            self._accounts[address] = account
            self._hide(account, COLLATERAL, self._collateral)
            self.changed[address] = account
        return account

    def open_participant(self, address: str) -> Account:
        """Open an account of the simulator's own, which is never refused."""
        assert address not in self._accounts
        account = Account(
            address,
            self._participant_collateral,
            limited=False,
            deposited=self._participant_collateral,
        )
        self._accounts[address] = account
        return account

    def deposit(self, address: str, amount: MoneyE6) -> None:
        """Give an account collateral from outside."""
        account = self.get(address)
        self.change(account, COLLATERAL, amount)
        account.deposited += amount

    def change(self, account: Account, token: str, amount: int) -> None:
        """Add a positive or negative amount to one of these accounts."""
        account.change(token, amount)
        self._hide(account, token, amount)
        self.changed[account.address] = account

    # --- what the venue has seen ----------------------------------------------------

    def advance(self, now_ns: int) -> None:
        """Tell the monotonic time."""
        self._now_ns = now_ns

    def visible(self, account: Account, token: str) -> int:
        """Return the balance that the venue has read, never more than there is."""
        if account.hidden:
            account.hidden = [item for item in account.hidden if item.due_ns > self._now_ns]
        unseen = sum(item.amount for item in account.hidden if item.token == token)
        return max(0, account.balance(token) - unseen)

    def free(self, account: Account, token: str) -> int:
        """Return what the venue has read and no open order has reserved; may be negative."""
        return account.free(token) - account.balance(token) + self.visible(account, token)

    def see(self, account: Account) -> None:
        """Read an account anew."""
        account.hidden = []

    def allow(self, account: Account, spender: str, amount: int, *, conditional: bool) -> None:
        """Restrict what an exchange may move; an amount beyond all money lifts the restriction."""
        key = allowance_key(spender, conditional=conditional)
        if amount > _RESTRICTED_MAX:
            account.allowances.pop(key, None)
        else:
            account.allowances[key] = amount
        self.changed[account.address] = account

    def allowance(self, address: str, spender: str, *, conditional: bool) -> int:
        """Return how much an exchange may move for an address, known or not."""
        known = self._accounts.get(address)
        if known is not None:
            return known.allowance(spender, conditional=conditional)
        return self._unapproved.get(allowance_key(spender, conditional=conditional), UNLIMITED)

    def find(self, address: str) -> Account | None:
        """Return an account that is there, opening none."""
        return self._accounts.get(address)

    def _hide(self, account: Account, token: str, amount: int) -> None:
        if self._lag_ns and account.limited and amount > 0:
            account.hidden.append(Hidden(token, amount, self._now_ns + self._lag_ns))

    def apply(self, moves: tuple[Move, ...], *, sign: int = 1) -> None:
        """Add the moves' amounts, or take them off again with sign -1."""
        for move in moves:
            self.change(self._accounts[move.account], move.token, sign * move.amount)
