"""The way to the venue: signs and posts orders, cancels, reads, over lanes of warm sockets.

An edge around the bus's HTTP lanes. A post is signed and serialised here, and `may_send` is
asked again directly before its one write, with a fresh clock reading, for each order of a batch:
when one of them may not leave, none does. In a dry run there is no lane for posts at all, and
each ends with its signed bytes. Cancels and resets go
out before the commit of their turn; posts after it. Until key and credentials are there,
nothing leaves: every request is answered as not sent.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from bus.credentials import CredentialsFault, Missing, read_credentials
from bus.edge import Edge
from bus.http import BeforeWrite, Headers, HttpEdge, Lane
from bus.settings import Settings, secret_file_problem
from services.execution.may_send import DRY_RUN, Permit, Permits, PlaceOrder, PlaceOrders
from services.execution.messages import IdentityFound, IdentityMissing
from services.execution.requests import CANCEL_LANE, CHAIN_LANE, POST_LANE, READ_LANE
from services.execution.signer import DEPOSIT_WALLET_TYPE, KeyFault, OrderSigner, read_key
from shared.config import Config
from shared.effects import Effect, HttpFailed, HttpRequest, HttpReset, Message
from shared.units import NS_PER_MS, NS_PER_S, BootNs, Instant
from shared.venue.auth import Credentials, request_headers
from shared.venue.orders_wire import ORDER_PATH, ORDERS_PATH, PostOrder, to_signed_order
from shared.venue.wire import encode

POST_CONNECTIONS = 8
"""Posts in flight at once: a round trip of 250 ms at the account's highest rate of posts."""

CANCEL_CONNECTIONS = 12
"""Ten for targeted cancels (`canceling.TARGETED_MAX`), and two that a cancel-all and its repeat
always find free."""

READ_CONNECTIONS = 4
"""Open orders, trades, and questions after single orders."""

QUEUE_MAX = 64

LOOK_EVERY_NS = 200 * NS_PER_MS
"""How often missing key or credentials are looked for: the command writes them at start."""

SIGNATURE_TYPES: dict[str, int] = {"eoa": 0, "proxy": 1, "safe": 2, "deposit": 3}

MaySend = Callable[[Permit, Instant], str | None]


class MakeHttp(Protocol):
    """Makes an edge that carries out `HttpRequest` and `HttpReset` over lanes."""

    def __call__(
        self,
        lanes: Sequence[Lane],
        *,
        headers: Headers | None = None,
        before_write: BeforeWrite | None = None,
    ) -> Edge:
        """Prepare the lanes; arguments as of `bus.http.HttpEdge`."""
        ...


def lanes(config: Config) -> tuple[Lane, ...]:
    """Return the lanes of execution; they share nothing. A dry run has none for posts."""
    url, node = config.venue.clob_url, config.venue.rpc_url
    timeout_ms = config.timing.socket_timeout_ms
    post = Lane(POST_LANE, url, POST_CONNECTIONS, timeout_ms, QUEUE_MAX, waits_unconnected=False)
    return (
        *(() if config.run.dry_run else (post,)),
        Lane(CANCEL_LANE, url, CANCEL_CONNECTIONS, timeout_ms, QUEUE_MAX, is_urgent=True),
        Lane(READ_LANE, url, READ_CONNECTIONS, timeout_ms, QUEUE_MAX),
        *((Lane(CHAIN_LANE, node, 1, timeout_ms, QUEUE_MAX),) if node else ()),
    )


class Gateway(Edge):
    """Carries out `PlaceOrder`, `PlaceOrders`, `HttpRequest` and `HttpReset`."""

    handles = (PlaceOrder, PlaceOrders, HttpRequest, HttpReset)

    def __init__(
        self, settings: Settings, may_send: MaySend, make_http: MakeHttp = HttpEdge
    ) -> None:
        """Prepare the lanes.

        Args:
            settings: Where the venue, the key file and the credentials file are.
            may_send: The core's answer at a fresh instant, asked before each post's write.
            make_http: Makes the edge that carries the requests; a simulation has its own.
        """
        self._settings = settings
        self._is_dry = settings.config.run.dry_run
        self._may_send = may_send
        self._http = make_http(
            lanes(settings.config), headers=self._headers, before_write=self._before_write
        )
        self._signer: OrderSigner | None = None
        self._credentials: Credentials | None = None
        self._look_after_ns = BootNs(0)
        self._told = ""

    def apply(self, effect: Effect, now: Instant) -> list[Message]:
        """Send a request, post an order, or reset a lane."""
        if isinstance(effect, PlaceOrder | PlaceOrders):
            return self._post(effect, now)
        if self._is_dry and _is_of_posts(effect):
            return _not_sent(effect)
        if isinstance(effect, HttpRequest) and self._credentials is None:
            return [HttpFailed(effect.request_id, sent=False, reason="no_credentials")]
        return self._http.apply(effect, now)

    def is_urgent(self, effect: Effect) -> bool:
        """Cancels and resets; never a post."""
        return not isinstance(effect, PlaceOrder | PlaceOrders) and self._http.is_urgent(effect)

    def withhold(self, effect: Effect, now: Instant) -> list[Message]:
        """Answer for what was not sent because the commit of its turn failed."""
        if isinstance(effect, PlaceOrder | PlaceOrders):
            return [HttpFailed(effect.request_id, sent=False, reason="not_journaled")]
        return self._http.withhold(effect, now)

    def withdraw(self, urgent: Effect, waiting: Effect, now: Instant) -> list[Message]:
        """Take back a post that waits for its commit while its lane is reset."""
        if isinstance(waiting, PlaceOrder | PlaceOrders):
            is_reset = isinstance(urgent, HttpReset) and urgent.lane == POST_LANE
            reset = HttpFailed(waiting.request_id, sent=False, reason="reset")
            return [reset] if is_reset else []
        return self._http.withdraw(urgent, waiting, now)

    def sockets(self) -> Iterable[tuple[int, int]]:
        """Return the lanes' descriptors."""
        return self._http.sockets()

    def on_ready(self, descriptor: int, events: int, now: Instant) -> list[Message]:
        """Go on with one connection."""
        return self._http.on_ready(descriptor, events, now)

    def on_tick(self, now: Instant) -> list[Message]:
        """Look for key and credentials, and at the lanes' deadlines."""
        return [*self._look(now), *self._http.on_tick(now)]

    def close(self) -> None:
        """Close every connection at once."""
        self._http.close()

    def _post(self, effect: PlaceOrder | PlaceOrders, now: Instant) -> list[Message]:
        """Sign one order or several and hand them to their lane as one request."""
        if self._signer is None or self._credentials is None:
            return [HttpFailed(effect.request_id, sent=False, reason="no_credentials")]
        orders = effect.orders if isinstance(effect, PlaceOrders) else (effect,)
        permits = Permits(tuple(order.permit for order in orders))
        refusal = self._refusal(permits, now)
        if refusal is not None and refusal != DRY_RUN:
            return [HttpFailed(effect.request_id, sent=False, reason=refusal)]
        bodies = [self._signed(self._signer, self._credentials, order) for order in orders]
        is_batch = isinstance(effect, PlaceOrders)
        request = HttpRequest(
            request_id=effect.request_id,
            lane=POST_LANE,
            method="POST",
            path=ORDERS_PATH if is_batch else ORDER_PATH,
            body=encode(bodies if is_batch else bodies[0]),
            deadline_ns=effect.deadline_ns,
            permit=permits if is_batch else orders[0].permit,
        )
        if self._is_dry or refusal is not None:
            # A rehearsal goes as far as the signed bytes, so that a wrong key shows here.
            return _not_sent(request)
        return self._http.apply(request, now)

    def _signed(self, signer: OrderSigner, who: Credentials, order: PlaceOrder) -> PostOrder:
        """Return an order as the venue takes it."""
        signature = signer.sign(order.order, order.domain)
        return PostOrder(
            order=to_signed_order(order.order, order.expiration_s, signature),
            owner=who.api_key,
            order_type="GTD",
            post_only=order.post_only,
        )

    def _refusal(self, permits: Permits, now: Instant) -> str | None:
        """Return why a request may not leave, by the first of its orders that may not; else None.

        The reason of a dry run counts last, so that it hides no other.
        """
        refusals = [self._may_send(permit, now) for permit in permits.permits]
        found = [one for one in refusals if one is not None]
        return next((one for one in found if one != DRY_RUN), found[0] if found else None)

    def _before_write(self, request: HttpRequest, now: Instant) -> str | None:
        """Ask the core once more, directly before a post's first byte, for each order in it."""
        if self._is_dry and request.lane == POST_LANE:
            return DRY_RUN
        if isinstance(request.permit, Permit):
            return self._may_send(request.permit, now)
        if isinstance(request.permit, Permits):
            return self._refusal(request.permit, now)
        return "no_permit" if request.lane == POST_LANE else None

    def _headers(self, request: HttpRequest, now: Instant) -> Mapping[str, str]:
        """Return the venue's authentication of one request; none for the chain's node."""
        assert self._credentials is not None, "nothing leaves without credentials"
        if request.lane == CHAIN_LANE:
            return {"Content-Type": "application/json"}
        timestamp_s = now.wall_ns // NS_PER_S
        return request_headers(
            self._credentials, timestamp_s, request.method, request.path, request.body
        )

    def _look(self, now: Instant) -> list[Message]:
        """Tell the core once when key and credentials can be used, or why they cannot."""
        if self._credentials is not None or now.boot_ns < self._look_after_ns:
            return []
        self._look_after_ns = BootNs(now.boot_ns + LOOK_EVERY_NS)
        loaded = self._load()
        if isinstance(loaded, str):
            is_news, self._told = loaded != self._told, loaded
            return [IdentityMissing(loaded)] if is_news else []
        self._signer, self._credentials = loaded
        return [self._identity(*loaded)]

    def _identity(self, signer: OrderSigner, credentials: Credentials) -> IdentityFound:
        """Return who trades with these."""
        account = self._settings.config.account
        kind = SIGNATURE_TYPES[account.wallet_kind]
        wallet = (account.wallet_address or signer.address).lower()
        return IdentityFound(
            account=account.name,
            wallet=wallet,
            signer=wallet if kind == DEPOSIT_WALLET_TYPE else signer.address,
            signature_type=kind,
            api_key_id=credentials.api_key,
        )

    def _load(self) -> tuple[OrderSigner, Credentials] | str:
        """Return what both files hold, or why they cannot be used."""
        key_file = self._settings.key_file
        problem = secret_file_problem(key_file)
        if problem is not None:
            return f"{key_file} {problem}"
        try:
            signer = read_key(key_file)
            found = read_credentials(self._settings.credentials_file)
        except (KeyFault, CredentialsFault, OSError) as error:
            return str(error)
        if isinstance(found, Missing):
            return f"{found.path} is missing"
        if found.address.lower() != signer.address:
            return "the credentials belong to another key"
        return signer, found


def _is_of_posts(effect: Effect) -> bool:
    """Whether an effect concerns the lane of posts, which a dry run does not have."""
    return isinstance(effect, HttpRequest | HttpReset) and effect.lane == POST_LANE


def _not_sent(effect: Effect) -> list[Message]:
    """Answer for what a dry run keeps; a reset of no connection has no answer."""
    if isinstance(effect, HttpRequest):
        return [HttpFailed(effect.request_id, sent=False, reason=DRY_RUN)]
    return []
