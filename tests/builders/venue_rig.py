"""The simulated venue's core under virtual time, with a client that really signs."""

import itertools
from typing import Any

import msgspec
from coincurve import PrivateKey

from services.execution.signer import OrderSigner
from services.simulator.core import SimulatorCore
from services.simulator.edge import (
    Abort,
    Close,
    Persist,
    Push,
    Record,
    Request,
    Respond,
    StreamClosed,
    StreamKind,
    StreamOpened,
    StreamText,
)
from services.simulator.keys import Keys
from services.simulator.markets import Market
from services.simulator.oracles.recording import Recording
from services.simulator.saved import Saved
from shared.config import SimulatorSettings
from shared.effects import Effect
from shared.facts import Side
from shared.identifiers import OrderHash
from shared.units import (
    NS_PER_MS,
    NS_PER_S,
    BootNs,
    Instant,
    MonotonicNs,
    PriceE4,
    SizeE6,
    WallNs,
    notional_e6,
)
from shared.venue.amounts import limit_amounts, market_buy_amounts, market_sell_amounts
from shared.venue.auth import Credentials, attestation_digest, request_headers
from shared.venue.order_hash import UnsignedOrder, exchange_domain, order_hash
from shared.venue.orders_wire import (
    OrderType,
    PostOrder,
    PostReply,
    to_signed_order,
    to_unsigned_order,
)
from shared.venue.typed_data import keccak256
from shared.venue.wallets import DEPOSIT_WALLET, deposit_address, maker_address
from shared.venue.wire import encode

START_S = 1_790_000_040
"""Wall time at which a rig starts: a minute that ends a window of five and of fifteen."""

TICK_STEP_NS = 50 * NS_PER_MS


def address_of(key: PrivateKey) -> str:
    """Return the lower-case address of a private key."""
    return "0x" + keccak256(key.public_key.format(compressed=False)[1:])[12:].hex()


def sign(key: PrivateKey, digest: bytes) -> str:
    """Return a signature as wallets write it."""
    raw = key.sign_recoverable(digest, hasher=None)
    return "0x" + raw[:64].hex() + f"{raw[64] + 27:02x}"


class Client:
    """Somebody with a wallet and its first API key."""

    def __init__(self, seed: int, number: int = 1) -> None:
        self.key = PrivateKey(number.to_bytes(32, "big"))
        self.address = address_of(self.key)
        self.credentials: Credentials = Keys(seed, 60).derive(self.address, 0)
        self._salt = itertools.count(1)

    @property
    def api_key(self) -> str:
        return self.credentials.api_key

    def order(
        self,
        market: Market,
        *,
        outcome: int = 0,
        side: Side = "BUY",
        price: int = 100,
        size: float = 10,
        order_type: OrderType = "GTC",
        post_only: bool = False,
        expiration_s: int = 0,
        version: Any = None,
        kind: int = 0,
        **spoil: Any,
    ) -> PostOrder:
        """Return a signed order; further keywords replace signed members before signing.

        Args:
            kind: Signature type, from which maker and signer follow.
        """
        size_e6 = SizeE6(round(size * 1_000_000))
        price_e4 = PriceE4(price)
        if order_type in ("GTC", "GTD"):
            amounts = limit_amounts(side, price_e4, size_e6, PriceE4(1))
        elif side == "BUY":
            money = notional_e6(price_e4, size_e6)
            amounts = market_buy_amounts(price_e4, money, PriceE4(1))
        else:
            amounts = market_sell_amounts(price_e4, size_e6, PriceE4(1))
        members: dict[str, Any] = {
            "salt": next(self._salt),
            "maker": maker_address(kind, self.address),
            "signer": deposit_address(self.address) if kind == DEPOSIT_WALLET else self.address,
            "token_id": market.tokens[outcome],
            "maker_amount": amounts.maker,
            "taker_amount": amounts.taker,
            "side_code": 0 if side == "BUY" else 1,
            "signature_type": kind,
            "timestamp_ms": START_S * 1000,
        }
        unsigned = UnsignedOrder(**(members | spoil))
        domain = exchange_domain(version, neg_risk=False) if version else market.domain
        signature = OrderSigner(self.key.secret).sign(unsigned, domain)
        return PostOrder(
            order=to_signed_order(unsigned, expiration_s, signature),
            owner=self.api_key,
            order_type=order_type,
            post_only=post_only,
        )

    def order_id(self, market: Market, post: PostOrder) -> OrderHash:
        """Return the id that the venue will give to an order."""
        return order_hash(to_unsigned_order(post.order), market.domain)


class VenueRig:
    """A venue and its clock; by default nobody but the test trades.

    With `saved` it keeps a journal, and begins at `at_ns` with what an earlier one holds.
    """

    def __init__(
        self,
        *,
        interval_s: int = 300,
        assets: tuple[str, ...] = ("btc",),
        saved: Saved | None = None,
        at_ns: int = 0,
        recording: Recording | None = None,
        **spoil: Any,
    ) -> None:
        quiet: dict[str, Any] = {"frames_per_second": 1, "taker_delay_ms": 0, "mined_ms": 0}
        self.is_quiet = "frames_per_second" not in spoil
        self.settings = SimulatorSettings(**(quiet | spoil))
        self.core = SimulatorCore(self.settings, assets, interval_s, saved, recording)
        self.ns = at_ns
        self.journal: list[bytes] = []
        self.pushed: dict[int, list[str]] = {}
        self.answers: dict[int, Respond] = {}
        self.aborted: list[int] = []
        self.closed: list[Close] = []
        self.records: list[dict[str, Any]] = []
        self.trace: list[Effect] = []
        self._requests = itertools.count(1)
        self.client = Client(self.settings.seed)
        if self.is_quiet:
            self.core._freeze(True)
        self.tick()

    @property
    def now(self) -> Instant:
        """The present moment; the monotonic clock started with the rig."""
        wall = START_S * NS_PER_S + self.ns
        return Instant(BootNs(self.ns), MonotonicNs(self.ns), WallNs(wall))

    @property
    def now_s(self) -> int:
        return self.now.wall_ns // NS_PER_S

    @property
    def market(self) -> Market:
        """The running market of the first asset."""
        return next(market for market in self.core.exchange.calendar if market.state == "OPEN")

    def take(self, effects: list[Effect]) -> None:
        """Keep what the core asked for."""
        self.trace += effects
        for effect in effects:
            match effect:
                case Push():
                    self.pushed.setdefault(effect.connection, []).append(effect.text)
                case Respond():
                    self.answers[effect.request_id] = effect
                case Abort():
                    self.aborted.append(effect.request_id)
                case Close():
                    self.closed.append(effect)
                case Persist():
                    self.journal = [] if effect.whole else self.journal
                    self.journal.append(effect.line)
                case Record():
                    self.records.append(msgspec.json.decode(effect.line))

    def tick(self) -> None:
        self.take(self.core.on_tick(self.now))

    def advance(self, seconds: float) -> None:
        """Let time pass, with a tick whenever something is due."""
        end = self.ns + round(seconds * NS_PER_S)
        while self.ns < end:
            due = self.core.next_ns()
            self.ns = min(end, max(self.ns + 1, min(due, self.ns + TICK_STEP_NS)))
            self.tick()

    # --- REST -----------------------------------------------------------------------

    def send(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        query: dict[str, str] | None = None,
        client: Client | None = None,
        headers: dict[str, str] | None = None,
    ) -> int:
        """Send a request, with the client's L2 headers unless others are given."""
        who = client or self.client
        if headers is None:
            headers = request_headers(who.credentials, self.now_s, method, path, body)
        number = next(self._requests)
        request = Request(number, method, path, query or {}, headers, body)
        self.take(self.core.on_message(request, self.now))
        return number

    def ask(self, method: str, path: str, body: bytes = b"", **how: Any) -> tuple[int, Any]:
        """Send a request and return status and decoded body of the answer at once."""
        answer = self.answers[self.send(method, path, body, **how)]
        return answer.status, msgspec.json.decode(answer.body)

    def post(self, post: PostOrder, client: Client | None = None) -> tuple[int, Any]:
        """Post one order and return status and body."""
        return self.ask("POST", "/order", encode(post), client=client)

    def place(self, client: Client | None = None, **terms: Any) -> str:
        """Place an order that must be taken, and return its id."""
        who = client or self.client
        status, body = self.post(who.order(self.market, **terms), who)
        assert status == 200, body
        return msgspec.convert(body, PostReply).order_id or ""

    def fault(self, kind: str, **terms: Any) -> int:
        """Switch a fault on."""
        status, body = self.ask("POST", "/admin/faults", encode({"kind": kind, **terms}))
        assert status == 200, body
        return int(body["id"])

    def open_ids(self, client: Client | None = None) -> list[str]:
        """Return the ids of a client's open orders, as the venue tells them."""
        status, body = self.ask("GET", "/data/orders", client=client)
        assert status == 200, body
        return [row["id"] for row in body["data"]]

    def kinds(self, kind: str) -> list[dict[str, Any]]:
        """Return the records of one kind."""
        return [record for record in self.records if record["kind"] == kind]

    # --- sockets --------------------------------------------------------------------

    def open(self, connection: int, kind: StreamKind) -> None:
        self.pushed[connection] = []
        self.take(self.core.on_message(StreamOpened(connection, kind), self.now))

    def say(self, connection: int, frame: object) -> None:
        """Send a frame: text as it is, anything else as JSON."""
        text = frame if isinstance(frame, str) else encode(frame).decode()
        self.take(self.core.on_message(StreamText(connection, text), self.now))

    def leave(self, connection: int) -> None:
        self.take(self.core.on_message(StreamClosed(connection), self.now))

    def frames(self, connection: int) -> list[Any]:
        """Return what a connection was sent since the last call, decoded."""
        texts, self.pushed[connection] = self.pushed[connection], []
        return [msgspec.json.decode(text) for text in texts]

    def follow_market(self, connection: int = 1) -> None:
        """Open a market socket for both tokens of the running market."""
        self.open(connection, "market")
        self.say(connection, {"type": "market", "assets_ids": self.market.tokens})

    def follow_user(self, connection: int = 2, client: Client | None = None) -> None:
        """Open a user socket."""
        self.open(connection, "user")
        self.say(connection, {"type": "user", "auth": self.auth(client)})

    def auth(self, client: Client | None = None) -> dict[str, str]:
        """Return the credentials as sockets want them."""
        credentials = (client or self.client).credentials
        return {
            "apiKey": credentials.api_key,
            "secret": credentials.secret,
            "passphrase": credentials.passphrase,
        }

    def attestation_headers(self, client: Client | None = None, nonce: int = 0) -> dict[str, str]:
        """Return valid L1 headers."""
        who = client or self.client
        digest = attestation_digest(who.address, self.now_s, nonce)
        return {
            "POLY_ADDRESS": who.address,
            "POLY_SIGNATURE": sign(who.key, digest),
            "POLY_TIMESTAMP": str(self.now_s),
            "POLY_NONCE": str(nonce),
        }
