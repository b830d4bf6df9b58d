"""A venue that answers execution from memory, and can be told to fail."""

from collections.abc import Callable
from typing import Any

import msgspec

from services.execution.may_send import PlaceOrder, PlaceOrders
from shared.effects import (
    HttpFailed,
    HttpReply,
    HttpRequest,
    Message,
)
from shared.identifiers import OrderHash, TokenId
from shared.units import Instant
from shared.venue.approvals import UNLIMITED
from shared.venue.order_hash import EXCHANGE_V2, EXCHANGE_V2_NEG_RISK, EXCHANGE_V3
from tests.builders.markets import MARKET


class FakeVenue:
    """Takes what it is sent and remembers it; a test makes it refuse, hold or lose.

    Attributes:
        open: Orders that rest, by id, with their size matched.
        posts: Every order that reached it.
        post_sizes: How many orders each post had.
        refuses: Why an order of its own is refused in an answer 200; empty accepts.
        spoils: Changes the body of answers to posts.
        refusal: HTTP status and error text of posts; None accepts.
        loses: Post replies are lost after acceptance.
        holds: Post replies wait in `held`.
        silent: Lanes that get no answer until their deadline.
        deaf: Lanes that nobody hears: no answer at all, and no deadline.
        unsent: Lanes whose requests come back unwritten.
        keeps: Why every cancel is refused by name; empty for none.
        status: HTTP status of all cancels.
        held_of: What the wallet holds of a token where `balances` does not say.
        answers: Status and body of what is asked under a path, instead of the true answer.
        date: Of the header of its answers to questions after single orders; empty for none.
        strangers: Rows of orders that rest and that nobody here has posted.
        immortal: Orders that no cancel takes out; spoilt: what rows of orders say otherwise.
        balances: What the wallet holds, 1e-6 share; cached: what the venue believes instead,
            until it is updated; on_chain: what a node says.
        allowances: What exchanges may move, as the venue tells it; balance likewise.
    """

    def __init__(self) -> None:
        self.open: dict[OrderHash, PlaceOrder] = {}
        self.matched: dict[OrderHash, int] = {}
        self.gone: dict[OrderHash, str] = {}
        self.posts: list[PlaceOrder] = []
        self.post_sizes: list[int] = []
        self.refuses: Callable[[PlaceOrder], str] = lambda order: ""
        self.spoils: Callable[[bytes], bytes] | None = None
        self.requests: list[HttpRequest] = []
        self.trades: list[dict[str, Any]] = []
        self.refusal: tuple[int, str] | None = None
        self.loses = False
        self.holds = False
        self.held: list[Message] = []
        self.silent: set[str] = set()
        self.deaf: set[str] = set()
        self.unsent: set[str] = set()
        self.keeps = ""
        self.cancel_status = 200
        self.cancel_headers: dict[str, str] = {}
        self.held_of: Callable[[TokenId], int] = lambda token: 0
        self.answers: dict[str, tuple[int, bytes]] = {}
        self.date: str = ""
        self.strangers: dict[OrderHash, dict[str, Any]] = {}
        self.immortal: set[OrderHash] = set()
        self.spoilt: dict[OrderHash, dict[str, Any]] = {}
        self.balances: dict[str, int] = {}
        self.cached: dict[str, int] = {}
        self.on_chain: dict[str, int] = {}
        self.balance_status = 200
        self.update_status = 200
        self.version = 2
        self.balance = "1000000000000"
        exchanges = (EXCHANGE_V2, EXCHANGE_V2_NEG_RISK, EXCHANGE_V3)
        self.allowances = dict.fromkeys(exchanges, str(UNLIMITED))

    def post(self, effect: PlaceOrder | PlaceOrders, now: Instant) -> list[Message]:
        """Take one order, or several of one request, and answer once."""
        orders = effect.orders if isinstance(effect, PlaceOrders) else (effect,)
        self.posts += orders
        self.post_sizes.append(len(orders))
        if self.refusal is not None:
            status, text = self.refusal
            return [reply(effect.request_id, status, {"error": text}, now)]
        entries = [self._take(order) for order in orders]
        if self.loses:
            return [HttpFailed(effect.request_id, True, "deadline", now.boot_ns)]
        answer = entries if isinstance(effect, PlaceOrders) else entries[0]
        message = reply(effect.request_id, 200, answer, now)
        if self.spoils is not None:
            message = msgspec.structs.replace(message, body=self.spoils(message.body))
        if self.holds:
            self.held.append(message)
            return []
        return [message]

    def _take(self, order: PlaceOrder) -> dict[str, Any]:
        text = self.refuses(order)
        if not text:
            self.open[order.order_id] = order
        return {
            "success": not text,
            "errorMsg": text,
            "orderID": "" if text else order.order_id,
            "status": "" if text else "live",
            "makingAmount": "",
            "takingAmount": "",
        }

    def request(self, effect: HttpRequest, now: Instant) -> list[Message]:
        if effect.lane in self.unsent:
            return [HttpFailed(effect.request_id, False, "not_writable")]
        self.requests.append(effect)
        if effect.lane in self.deaf:
            return []
        if effect.lane in self.silent:
            return [HttpFailed(effect.request_id, True, "deadline", now.boot_ns)]
        for path, (status, body) in self.answers.items():
            if effect.path.startswith(path):
                return [HttpReply(effect.request_id, status, {}, body, now.boot_ns)]
        if effect.lane == "cancel":
            return [self._cancel(effect, now)]
        if effect.lane == "chain":
            token = str(int(effect.body.split(b'"data":"0x')[1].split(b'"')[0][-64:], 16))
            held = self.on_chain.get(token, self.held_of(TokenId(token)))
            return [reply(effect.request_id, 200, {"result": f"0x{held:064x}"}, now)]
        return [self._read(effect, now)]

    def _cancel(self, effect: HttpRequest, now: Instant) -> Message:
        if self.cancel_status != 200:
            body = {"error": "Too Many Requests"}
            return HttpReply(
                effect.request_id,
                self.cancel_status,
                self.cancel_headers,
                msgspec.json.encode(body),
                now.boot_ns,
            )
        wanted = list(self.open)
        if effect.path == "/orders":
            wanted = msgspec.json.decode(effect.body)
        elif effect.path == "/order":
            wanted = [msgspec.json.decode(effect.body)["orderID"]]
        elif effect.path == "/cancel-market-orders":
            market = msgspec.json.decode(effect.body)["market"]
            wanted = [i for i in self.open if market == MARKET]
            for order_id, row in tuple(self.strangers.items()):
                if row["market"] == market:
                    del self.strangers[order_id]
        free = [i for i in wanted if i in self.open and i not in self.immortal]
        canceled = [] if self.keeps else free
        kept = {i: self.keeps or "Order not found" for i in wanted if i not in canceled}
        for order_id in canceled:
            del self.open[order_id]
            self.gone[order_id] = "CANCELED"
        answer = {"canceled": canceled, "not_canceled": kept}
        told = reply(effect.request_id, 200, answer, now)
        return msgspec.structs.replace(told, headers=self.cancel_headers)

    def _read(self, effect: HttpRequest, now: Instant) -> Message:
        if effect.path.startswith("/data/orders"):
            rows = [self.row(order_id) for order_id in self.open] + list(self.strangers.values())
            return reply(effect.request_id, 200, {"data": rows, "next_cursor": "LTE="}, now)
        if effect.path.startswith("/data/trades"):
            after_s = int(effect.path.split("after=")[1].split("&")[0])
            rows = [row for row in self.trades if int(row["match_time"]) >= after_s]
            body = {"data": rows, "next_cursor": "LTE="}
            return reply(effect.request_id, 200, body, now)
        if effect.path == "/version":
            return reply(effect.request_id, 200, {"version": self.version}, now)
        if effect.path.startswith("/balance-allowance"):
            return self._balance(effect, now)
        order_id = OrderHash(effect.path.rsplit("/", 1)[1])
        if order_id in self.open or order_id in self.gone:
            return reply(effect.request_id, 200, self.row(order_id), now)
        answer = reply(effect.request_id, 404, {"error": "Order not found"}, now)
        headers = {"date": self.date} if self.date else {}
        return msgspec.structs.replace(answer, headers=headers)

    def _balance(self, effect: HttpRequest, now: Instant) -> Message:
        """Answer with what is cached of a token, or else with what its trades make."""
        path, _, query = effect.path.partition("?")
        asked = dict(pair.split("=") for pair in query.split("&"))
        if "token_id" not in asked:
            money = {"balance": self.balance, "allowances": self.allowances}
            return reply(effect.request_id, 200, money, now)
        token = asked["token_id"]
        is_update = path.endswith("/update")
        status = self.update_status if is_update else self.balance_status
        if status != 200:
            return reply(effect.request_id, status, {"error": "no"}, now)
        if is_update:
            self.cached.pop(token, None)
        held = self.cached.get(token, self.balances.get(token, self.held_of(TokenId(token))))
        answer = {"balance": str(held), "allowances": self.allowances}
        return reply(effect.request_id, 200, answer, now)

    def row(self, order_id: OrderHash) -> dict[str, Any]:
        post = next(one for one in self.posts if one.order_id == order_id)
        order = post.order
        size = order.taker_amount if order.side_code == 0 else order.maker_amount
        money = order.maker_amount if order.side_code == 0 else order.taker_amount
        return {
            "id": order_id,
            "status": self.gone.get(order_id, "LIVE"),
            "market": MARKET,
            "asset_id": order.token_id,
            "side": "BUY" if order.side_code == 0 else "SELL",
            "original_size": str(size / 1_000_000),
            "size_matched": str(self.matched.get(order_id, 0) / 1_000_000),
            "price": str(money / size),
            "created_at": 1_790_000_000,
            **self.spoilt.get(order_id, {}),
        }

    def seen(self, path: str) -> list[HttpRequest]:
        return [one for one in self.requests if one.path.startswith(path)]


def reply(request_id: int, status: int, body: object, now: Instant) -> HttpReply:
    return HttpReply(request_id, status, {}, msgspec.json.encode(body), now.boot_ns)
