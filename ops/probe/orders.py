"""The few orders of a session: made, signed, posted, and never beyond what was agreed to.

Every order is GTD and dies by itself; all but those of a `taking` are post-only. What is
posted is counted as if all of it were filled, and nothing is posted beyond the sum that was
shown beforehand.

    OverBudget(Exception)   local: a step asks for more than was agreed to; a bug of the script
"""

import secrets
from collections.abc import Sequence

import msgspec

from bus import clock
from ops.keys import Key
from ops.probe.asking import Asks, Reply
from ops.probe.place import Place
from shared.config import AccountSettings
from shared.facts import Side
from shared.identifiers import OrderHash, TokenId
from shared.units import NS_PER_S, PRICE_ONE_E4, MoneyE6, PriceE4, SizeE6
from shared.venue.amounts import Amounts
from shared.venue.auth import Credentials
from shared.venue.order_hash import (
    BUY_CODE,
    ORDER_TYPE,
    SELL_CODE,
    ExchangeDomain,
    UnsignedOrder,
    exchange_domain,
    exchange_separator,
    order_digest,
    order_hash,
    order_struct_hash,
    wallet_digest,
)
from shared.venue.orders_wire import ORDER_PATH, ORDERS_PATH, PostOrder, to_signed_order
from shared.venue.rules import GTD_EXPIRATION_MIN_S
from shared.venue.wire import encode

SIGNATURE_TYPES: dict[str, int] = {"eoa": 0, "proxy": 1, "safe": 2, "deposit": 3}
DEPOSIT_WALLET_TYPE = 3

SALT_BITS = 53
"""JSON numbers are exact up to there. Source: py-clob-client-v2 1.2.1."""

LIFE_S = GTD_EXPIRATION_MIN_S + 2
"""Shortest expiration that the venue should take, with the seconds that clocks may differ: as
execution's orders by default, so that the same proof of zero holds for both."""


class OverBudget(Exception):
    """More would be posted than was agreed to; nothing was sent."""


class Terms(msgspec.Struct, frozen=True):
    """What an order shall say; the rest is the session's.

    Attributes:
        expires_in_s: Its GTD expiration, from now.
        aged_s: How old its signed timestamp is; below zero for one of the future.
    """

    token: TokenId
    price: PriceE4
    size: SizeE6
    side: Side = "BUY"
    expires_in_s: int = LIFE_S
    post_only: bool = True
    aged_s: int = 0


class Made(msgspec.Struct, frozen=True):
    """An order ready to be posted.

    Attributes:
        order_id: Its hash, by which the venue knows it.
    """

    order_id: OrderHash
    post: PostOrder
    worst_e6: MoneyE6


class Poster:
    """Makes and posts the orders of one session.

    Attributes:
        spent_e6: What all posts so far would cost, filled whole.
        order_ids: Of everything posted.
    """

    def __init__(
        self,
        asks: Asks,
        place: Place,
        key: Key,
        credentials: Credentials,
        account: AccountSettings,
        chain_id: int,
        allowed_e6: MoneyE6,
    ) -> None:
        """Sign for an account in one market, up to a sum of micro-dollars."""
        self._asks = asks
        self._key = key
        self._owner = credentials.api_key
        self._type = SIGNATURE_TYPES[account.wallet_kind]
        wallet = (account.wallet_address or key.address).lower()
        self._maker = wallet
        self._signer = wallet if self._type == DEPOSIT_WALLET_TYPE else key.address.lower()
        self._domain = exchange_domain(place.info.version, place.info.neg_risk, chain_id)
        self._allowed_e6 = allowed_e6
        self.spent_e6 = MoneyE6(0)
        self.order_ids: list[OrderHash] = []

    def make(self, terms: Terms) -> Made:
        """Return a signed order. Its amounts are exact whatever the grid: a step may break it."""
        now = clock.read()
        money = terms.price * terms.size // PRICE_ONE_E4
        amounts = Amounts(money, terms.size)
        if terms.side == "SELL":
            amounts = Amounts(terms.size, money)
        order = UnsignedOrder(
            salt=secrets.randbits(SALT_BITS),
            maker=self._maker,
            signer=self._signer,
            token_id=terms.token,
            maker_amount=amounts.maker,
            taker_amount=amounts.taker,
            side_code=BUY_CODE if terms.side == "BUY" else SELL_CODE,
            signature_type=self._type,
            timestamp_ms=now.wall_ms - terms.aged_s * 1_000,
        )
        expiration_s = -(-now.wall_ns // NS_PER_S) + terms.expires_in_s
        post = PostOrder(
            order=to_signed_order(order, expiration_s, sign(self._key, order, self._domain)),
            owner=self._owner,
            order_type="GTD",
            post_only=terms.post_only,
        )
        # A sell of shares that are not ours would owe what they may come to be worth.
        worst = money if terms.side == "BUY" else terms.size - money
        return Made(order_hash(order, self._domain), post, MoneyE6(worst))

    def post(self, label: str, made: Made) -> Reply:
        """Post one order, within the sum that was agreed to.

        Raises:
            OverBudget: It would exceed it.
            Silent: Nobody answered; the order may be in the market.
        """
        self._count((made,))
        return self._asks.ask(label, "POST", ORDER_PATH, encode(made.post))

    def post_batch(self, label: str, batch: Sequence[Made]) -> Reply:
        """Post several orders at once; errors as of `post`."""
        self._count(batch)
        body = encode(tuple(made.post for made in batch))
        return self._asks.ask(label, "POST", ORDERS_PATH, body)

    def _count(self, batch: Sequence[Made]) -> None:
        fresh = {made.order_id: made.worst_e6 for made in batch}
        # The same order twice is one order: the venue knows it by its hash.
        costs = sum(worst for name, worst in fresh.items() if name not in self.order_ids)
        if self.spent_e6 + costs > self._allowed_e6:
            raise OverBudget(f"{self.spent_e6 + costs} of {self._allowed_e6} micro-dollars")
        self.spent_e6 = MoneyE6(self.spent_e6 + costs)
        self.order_ids += [name for name in fresh if name not in self.order_ids]


def sign(key: Key, order: UnsignedOrder, domain: ExchangeDomain) -> str:
    """Return the signature of an order as the venue takes it, 0x and hex."""
    if order.signature_type != DEPOSIT_WALLET_TYPE:
        return key.sign(order_digest(order, domain))
    kind = ORDER_TYPE.encode()
    nested = (
        exchange_separator(domain),
        order_struct_hash(order),
        kind,
        len(kind).to_bytes(2, "big"),
    )
    return key.sign(wallet_digest(order, domain)) + b"".join(nested).hex()


def spoil_signature(made: Made) -> Made:
    """Return an order whose signature is of the right form and nobody's."""
    signature = made.post.order.signature
    digit = "1" if signature[10] != "1" else "2"
    order = msgspec.structs.replace(
        made.post.order, signature=signature[:10] + digit + signature[11:]
    )
    return msgspec.structs.replace(made, post=msgspec.structs.replace(made.post, order=order))
