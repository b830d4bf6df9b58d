"""Switches of accounts, for tests and people on this machine: nothing of it exists at the venue.

    POST /admin/standing   {"address", "standing": "normal" | "closed_only" | "banned"}
    POST /admin/wallets    {"address", "known"}: whether the venue knows a maker, or has deployed it
    POST /admin/builders   {"code", "maker_bps", "taker_bps"}: a registered builder
    POST /admin/allowance  {"account", "spender", "amount", "conditional"}: in 1e-6, 0 revokes
    POST /admin/balance    {"account", "token", "amount"}: shares that came from outside, in 1e-6,
                           or went there, below zero; as a transfer of the wallet's owner would

An allowance that no longer covers an open order ends the order as INVALID, as the venue does.
"""

from collections.abc import Callable, Mapping

import msgspec

from services.simulator.accounts import order_reserve
from services.simulator.answers import Answer, error, ok
from services.simulator.edge import Request
from services.simulator.exchange import Exchange
from services.simulator.stamps import Stamps
from services.simulator.standings import BuilderFees, Standing
from shared.units import Instant
from shared.venue.wire import decode

FULL_TEXT = "too many entries"
Handler = Callable[[Request, Instant], Answer]


class StandingOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `POST /admin/standing` asks for."""

    address: str
    standing: Standing


class WalletOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `POST /admin/wallets` asks for."""

    address: str
    known: bool


class BuilderOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `POST /admin/builders` asks for."""

    code: str
    maker_bps: int = 0
    taker_bps: int = 0


class AllowanceOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `POST /admin/allowance` asks for."""

    account: str
    spender: str
    amount: int
    conditional: bool = False


class BalanceOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `POST /admin/balance` asks for."""

    account: str
    token: str
    amount: int


_BALANCE = msgspec.json.Decoder(BalanceOrder)
_STANDING = msgspec.json.Decoder(StandingOrder)
_WALLET = msgspec.json.Decoder(WalletOrder)
_BUILDER = msgspec.json.Decoder(BuilderOrder)
_ALLOWANCE = msgspec.json.Decoder(AllowanceOrder)


class AccountAdmin:
    """Handles the switches of accounts."""

    def __init__(self, exchange: Exchange, stamps: Stamps) -> None:
        """Set the parts."""
        self._exchange = exchange
        self._standings = exchange.accounts.standings
        self._stamps = stamps

    def routes(self) -> Mapping[tuple[str, str], Handler]:
        """Return the handlers by method and path; each raises Malformed for another body."""
        return {
            ("POST", "/admin/standing"): self._standing,
            ("POST", "/admin/wallets"): self._wallet,
            ("POST", "/admin/builders"): self._builder,
            ("POST", "/admin/allowance"): self._allowance,
            ("POST", "/admin/balance"): self._balance,
        }

    def _standing(self, request: Request, now: Instant) -> Answer:
        order = decode(_STANDING, request.body, "standing")
        if not self._standings.note_standing(order.address, order.standing):
            return error(400, FULL_TEXT)
        self._stamps.add("standing", now, account=order.address.lower(), standing=order.standing)
        return ok({"standing": order.standing})

    def _wallet(self, request: Request, now: Instant) -> Answer:
        order = decode(_WALLET, request.body, "wallet")
        if not self._standings.note_wallet(order.address, known=order.known):
            return error(400, FULL_TEXT)
        self._stamps.add("wallet", now, account=order.address.lower(), known=order.known)
        return ok({"known": order.known})

    def _builder(self, request: Request, now: Instant) -> Answer:
        order = decode(_BUILDER, request.body, "builder")
        fees = BuilderFees(order.maker_bps, order.taker_bps)
        if not self._standings.note_builder(order.code, fees):
            return error(400, FULL_TEXT)
        self._stamps.add("builder", now, code=order.code.lower())
        return ok({"code": order.code.lower()})

    def _allowance(self, request: Request, now: Instant) -> Answer:
        order = decode(_ALLOWANCE, request.body, "allowance")
        accounts = self._exchange.accounts
        account = accounts.get(order.account.lower())
        accounts.allow(account, order.spender, order.amount, conditional=order.conditional)
        ended = self._end_uncovered(order, now)
        self._stamps.add(
            "allowance",
            now,
            account=account.address,
            spender=order.spender.lower(),
            amount=str(order.amount),
            conditional=order.conditional,
            ended=ended,
        )
        return ok({"ended": ended})

    def _balance(self, request: Request, now: Instant) -> Answer:
        order = decode(_BALANCE, request.body, "balance")
        accounts = self._exchange.accounts
        account = accounts.get(order.account.lower())
        if order.token not in self._exchange.calendar.by_token:
            return error(400, "no such token")
        if account.balance(order.token) + order.amount < account.reserved_tokens.get(
            order.token, 0
        ):
            return error(400, "more than is held and free")
        accounts.change(account, order.token, order.amount)
        left = account.balance(order.token)
        self._stamps.add(
            "balance", now, account=account.address, token=order.token, amount=str(order.amount)
        )
        return ok({"token": order.token, "balance": str(left)})

    def _end_uncovered(self, changed: AllowanceOrder, now: Instant) -> list[str]:
        """End the open orders that the changed allowance does not cover any more."""
        exchange = self._exchange
        ended: list[str] = []
        for orders in tuple(exchange.open.values()):
            for order in tuple(orders.values()):
                market = exchange.calendar.by_condition[order.market]
                concerns = (
                    order.maker == changed.account.lower()
                    and market.domain.contract.lower() == changed.spender.lower()
                    and (order.side == "SELL") == changed.conditional
                )
                if concerns and order_reserve(order) > changed.amount:
                    exchange.cancel(order, now, status="INVALID", cause="allowance")
                    ended.append(order.order_id)
        return ended
