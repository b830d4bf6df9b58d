"""Routes of the venue's other hosts: discovery, data and relayer.

Production has a host for each; the simulator serves all on one address. What only one host has is
found at the root; all that a host has is found under its prefix too, so that a client which is
given one base address a service (as the official client 0.14.0) meets the right one where two
hosts share a path, as `/markets` of trading and of discovery do:

    trading     http://127.0.0.1:18080
    discovery   http://127.0.0.1:18080/gamma
    data        http://127.0.0.1:18080/data-api
    relayer     http://127.0.0.1:18080/relayer
    a chain     http://127.0.0.1:18080/rpc, which answers what is asked before trading
                and takes approvals of plain keys
"""

from collections.abc import Iterable

from services.simulator.chain.mempool import Mempool
from services.simulator.chain.relayer import Relayer
from services.simulator.chain.rpc import Rpc
from services.simulator.data_api.api import DataApi
from services.simulator.data_api.ledger import DataLedger
from services.simulator.data_api.markets import DataMarkets
from services.simulator.discovery.gamma import Gamma
from services.simulator.exchange import Exchange
from services.simulator.happenings import Happening
from services.simulator.keys import Keys
from services.simulator.price_history import PriceHistory
from services.simulator.routes import Public, PublicRoute, Route
from services.simulator.volumes import Volumes
from shared.config import SimulatorSettings
from shared.units import Instant

GAMMA_PREFIX = "/gamma"
DATA_PREFIX = "/data-api"
RELAYER_PREFIX = "/relayer"
Paths = Iterable[tuple[str, str, Public]]


def _under(prefix: str, paths: Paths) -> tuple[PublicRoute, ...]:
    return tuple(Route(method, prefix + path, handler) for method, path, handler in paths)


class Hosts:
    """The parts behind the other hosts, and how they are reached."""

    def __init__(
        self, exchange: Exchange, keys: Keys, history: PriceHistory, settings: SimulatorSettings
    ) -> None:
        """Build the parts."""
        calendar, accounts = exchange.calendar, exchange.accounts
        self._volumes = Volumes()
        ledger = DataLedger(exchange, settings.indexer_lag_ms)
        self._gamma = Gamma(calendar, self._volumes, has_bare_conditions=settings.bare_conditions)
        self._data = DataApi(ledger)
        self._markets = DataMarkets(ledger, history, self._volumes, calendar.resolution_ms)
        self._relayer = Relayer(keys, accounts, settings.mined_ms, settings.confirmed_ms)
        mempool = Mempool(accounts, settings.mined_ms)
        self._rpc = Rpc(accounts, mempool, self._relayer.stands)

    def note(self, happening: Happening, now: Instant) -> None:
        """Hear what the exchange has done."""
        self._volumes.note(happening, now)

    def routes(self) -> tuple[PublicRoute, ...]:
        """Return the routes of all hosts; each asks nobody who he is, or asks him itself."""
        return (
            *_gamma_routes(self._gamma),
            *_data_routes(self._data, self._markets),
            *_relayer_routes(self._relayer, self._rpc),
        )


def _gamma_routes(gamma: Gamma) -> tuple[PublicRoute, ...]:
    own: list[tuple[str, str, Public]] = [
        ("GET", "/markets/keyset", gamma.markets),
        ("GET", "/markets/slug/*", gamma.market),
        ("GET", "/events/keyset", gamma.events),
        ("GET", "/events/slug/*", gamma.event),
        ("GET", "/events/*/tags", gamma.event_tags),
        ("GET", "/events/*", gamma.event_by_id),
        ("GET", "/events", gamma.legacy_events),
        ("GET", "/series/*", gamma.series),
        ("GET", "/series", gamma.all_series),
        ("GET", "/tags/slug/*", gamma.tag),
        ("GET", "/tags/*", gamma.tag),
        ("GET", "/tags", gamma.tags),
    ]
    shared: list[tuple[str, str, Public]] = [
        ("GET", "/markets/*/tags", gamma.market_tags),
        ("GET", "/markets/*", gamma.market_by_id),
        ("GET", "/markets", gamma.legacy_markets),
    ]
    return (*_under("", own), *_under(GAMMA_PREFIX, [*own, *shared]))


def _data_routes(data: DataApi, markets: DataMarkets) -> tuple[PublicRoute, ...]:
    paths: list[tuple[str, str, Public]] = [
        ("GET", "/v2/positions", data.positions),
        ("GET", "/v2/trades", data.trades),
        ("GET", "/v2/activity", data.activity),
        ("GET", "/v2/value", data.value),
        ("GET", "/v2/user-volume", data.volume),
        ("GET", "/v2/resolutions", markets.resolutions),
        ("GET", "/v2/tokens", markets.tokens),
        ("GET", "/v2/oi", markets.open_interest),
        ("GET", "/v2/holders", markets.holders),
        ("GET", "/v2/live-volume", markets.live_volume),
        ("GET", "/v2/prices-history", markets.prices),
        ("GET", "/v2/approvals", data.approvals),
    ]
    return (*_under("", paths), *_under(DATA_PREFIX, paths))


def _relayer_routes(relayer: Relayer, rpc: Rpc) -> tuple[PublicRoute, ...]:
    paths: list[tuple[str, str, Public]] = [
        ("GET", "/deployed", relayer.deployed),
        ("GET", "/nonce", relayer.nonce),
        ("GET", "/relay-payload", relayer.parameters),
        ("GET", "/v1/account/transactions/params", relayer.parameters),
        ("GET", "/v1/account/transactions/*", relayer.transaction),
        ("POST", "/submit", relayer.submit),
    ]
    chain = PublicRoute("POST", "/rpc", rpc.answer)
    return (chain, *_under("", paths), *_under(RELAYER_PREFIX, paths))
