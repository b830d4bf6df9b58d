"""The venue's REST surface: which handler answers a request, and who may ask.

Pure: a request goes in, an answer or a promise of one comes out.
"""

from collections.abc import Callable

from services.simulator.answers import NOT_FOUND, UNAUTHORIZED, Answer, Held, error, ok
from services.simulator.edge import Request
from services.simulator.gamma import Gamma
from services.simulator.keys import Keys
from services.simulator.reads import Reads
from services.simulator.trading import Trading
from shared.units import NS_PER_S, Instant
from shared.venue.account_wire import ApiKey, ApiKeys, ClosedOnly
from shared.venue.auth import Credentials
from shared.venue.gamma_wire import Geoblock
from shared.venue.market_wire import Version

Public = Callable[[Request, Instant], Answer]
Private = Callable[[Request, Credentials, Instant], Answer | Held]


class Api:
    """Routes requests."""

    def __init__(self, keys: Keys, trading: Trading, reads: Reads, gamma: Gamma) -> None:
        """Set the handlers."""
        self._keys = keys
        self._reads = reads
        self._gamma = gamma
        self._public: dict[tuple[str, str], Public] = {
            ("GET", "/ok"): lambda request, now: ok("OK"),
            ("GET", "/time"): lambda request, now: ok(now.wall_ns // NS_PER_S),
            ("GET", "/version"): lambda request, now: ok(Version(version=2)),
            ("GET", "/book"): reads.book,
            ("POST", "/books"): reads.books,
            ("GET", "/tick-size"): reads.tick_size,
            ("GET", "/neg-risk"): reads.neg_risk,
            ("GET", "/fee-rate"): reads.fee_rate,
            ("GET", "/markets/keyset"): lambda request, now: gamma.markets(request),
            ("GET", "/events/keyset"): lambda request, now: gamma.events(request),
            ("GET", "/api/geoblock"): lambda request, now: ok(_NOT_BLOCKED),
            ("POST", "/auth/api-key"): self._create_key,
            ("GET", "/auth/derive-api-key"): self._derive_key,
        }
        self._private: dict[tuple[str, str], Private] = {
            ("GET", "/auth/api-keys"): self._list_keys,
            ("DELETE", "/auth/api-key"): self._delete_key,
            ("GET", "/auth/ban-status/closed-only"): lambda request, who, now: ok(
                ClosedOnly(closed_only=False)
            ),
            ("POST", "/order"): trading.post_order,
            ("POST", "/orders"): trading.post_orders,
            ("DELETE", "/order"): trading.cancel_order,
            ("DELETE", "/orders"): trading.cancel_orders,
            ("DELETE", "/cancel-all"): trading.cancel_all,
            ("DELETE", "/cancel-market-orders"): trading.cancel_market,
            ("POST", "/v1/heartbeats"): trading.beat,
            ("GET", "/data/orders"): reads.orders,
            ("GET", "/data/trades"): reads.trades,
            ("GET", "/balance-allowance"): reads.balance,
            ("GET", "/balance-allowance/update"): reads.balance,
        }

    def handle(self, request: Request, now: Instant) -> Answer | Held:
        """Answer a request."""
        route = (request.method, request.path)
        public = self._public.get(route)
        if public is not None:
            return public(request, now)
        private = self._private.get(route)
        if private is not None or request.path.startswith("/data/order/"):
            who = self._keys.check_request(
                request.headers, request.method, request.path, request.body, _seconds(now)
            )
            if who is None:
                return UNAUTHORIZED
            if private is not None:
                return private(request, who, now)
            return self._reads.order(request, who, _last(request.path))
        return self._by_prefix(request)

    def _by_prefix(self, request: Request) -> Answer:
        if request.method != "GET":
            return NOT_FOUND
        by_prefix: dict[str, Callable[[Request, str], Answer]] = {
            "/markets/slug/": self._gamma.market,
            "/events/slug/": self._gamma.event,
            "/clob-markets/": self._reads.clob_market,
            "/markets-by-token/": self._reads.market_by_token,
        }
        for prefix, handler in by_prefix.items():
            if request.path.startswith(prefix):
                return handler(request, _last(request.path))
        return NOT_FOUND

    def _create_key(self, request: Request, now: Instant) -> Answer:
        attested = self._keys.check_attestation(request.headers, _seconds(now))
        if attested is None:
            return error(401, "Invalid L1 Request headers")
        credentials = self._keys.create(attested)
        if credentials is None:
            return error(400, "Could not create api key")
        return ok(_key_row(credentials))

    def _derive_key(self, request: Request, now: Instant) -> Answer:
        attested = self._keys.check_attestation(request.headers, _seconds(now))
        if attested is None:
            return error(401, "Invalid L1 Request headers")
        return ok(_key_row(self._keys.derive(attested.address, attested.nonce)))

    def _list_keys(self, request: Request, who: Credentials, now: Instant) -> Answer:
        return ok(ApiKeys(api_keys=self._keys.of_wallet(who.address)))

    def _delete_key(self, request: Request, who: Credentials, now: Instant) -> Answer:
        self._keys.revoke(who.api_key)
        return ok("OK")


_NOT_BLOCKED = Geoblock(blocked=False, ip="127.0.0.1", country="CH", region="ZH")


def _key_row(credentials: Credentials) -> ApiKey:
    return ApiKey(
        api_key=credentials.api_key,
        secret=credentials.secret,
        passphrase=credentials.passphrase,
    )


def _seconds(now: Instant) -> int:
    return now.wall_ns // NS_PER_S


def _last(path: str) -> str:
    return path.rpartition("/")[2]
