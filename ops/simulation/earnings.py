"""What each window brought, recomputed from the venue's own log with exact decimals.

Knows nothing of the system under test: it folds the records that the venue writes.
"""

from decimal import Decimal

import msgspec

RESOLVED = "RESOLVED"


class _Log(msgspec.Struct, frozen=True):
    """The parts of a record that matter here; each kind has some of them."""

    kind: str
    account: str = ""
    market: str = ""
    slug: str = ""
    state: str = ""
    start_ms: int = 0
    winner: str | None = None
    strike: str | None = None
    final: str | None = None
    tokens: tuple[str, ...] = ()
    trade_id: str = ""
    status: str | int = ""
    side: str = ""
    money: str = "0"
    fee: str = "0"
    payout: str = "0"
    owner: str = ""
    change: str = ""


class Window(msgspec.Struct):
    """One market of ours and of everybody.

    Attributes:
        start_ms: Wall time.
        orders: Placements of ours that rested.
        fills: Legs of ours, failed ones too.
        winner: Index of the outcome that won, None before.
        flows: Money of each of our fills by trade, fees taken off.
        paid: Payouts to us.
    """

    slug: str
    start_ms: int
    winner: int | None = None
    strike: str | None = None
    final: str | None = None
    orders: int = 0
    fills: int = 0
    flows: dict[str, Decimal] = msgspec.field(default_factory=dict)
    paid: Decimal = Decimal(0)

    @property
    def profit(self) -> Decimal:
        """Return payouts and sells less buys and fees, USD."""
        return self.paid + sum(self.flows.values(), Decimal(0))


_LOG = msgspec.json.Decoder(_Log)


class Earnings:
    """All windows of one account, by condition, oldest first."""

    def __init__(self, account: str) -> None:
        """Take the address whose money it is."""
        self._account = account.lower()
        self._market_of: dict[str, str] = {}
        self.windows: dict[str, Window] = {}

    def take(self, line: bytes) -> None:
        """Fold one record in."""
        log = _LOG.decode(line)
        match log.kind:
            case "market":
                self._follow(log)
            case "trade" if log.status == "FAILED" and log.trade_id in self._market_of:
                window = self.windows[self._market_of[log.trade_id]]
                window.flows.pop(log.trade_id, None)
            case "order" | "fill" | "payout" if log.account.lower() == self._account:
                self._add(log, self.windows[log.market])
            case _:
                return

    def _follow(self, log: _Log) -> None:
        window = self.windows.setdefault(log.market, Window(log.slug, log.start_ms))
        window.strike, window.final = log.strike, log.final
        if log.winner is not None:
            window.winner = log.tokens.index(log.winner)

    def _add(self, log: _Log, window: Window) -> None:
        if log.kind == "payout":
            window.paid += Decimal(log.payout)
        elif log.kind == "order":
            window.orders += log.change == "PLACEMENT"
        else:
            money = Decimal(log.money) if log.side == "SELL" else -Decimal(log.money)
            window.fills += 1
            flow = window.flows.get(log.trade_id, Decimal(0))
            window.flows[log.trade_id] = flow + money - Decimal(log.fee)
            self._market_of[log.trade_id] = log.market
