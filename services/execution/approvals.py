"""What the venue says that exchanges may move of our wallet, and which orders that forbids.

Read before the first order and every minute after it, sooner while something is missing or an
order was refused for it. An order passes only when the exchange of its market was named with an
allowance that covers it; what was not read is unknown, and unknown forbids. A missing approval
is mended by `interlock approve`, in a process of its own. Asks the venue, whose copy decides
whether it takes an order; the chain itself is read by `interlock doctor`.

Source: https://docs.polymarket.com/trading/wallets-auth (2026-09-28); that its copy of a freshly
funded wallet is old until it is told to look again:
https://github.com/Polymarket/py-clob-client-v2/issues/74.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from services.execution.gate import Predicate
from services.execution.order_checks import Denial
from services.execution.requests import AllowanceAsk, Requests, VersionAsk
from shared.effects import Effect, HttpFailed, HttpReply, Log, Publish
from shared.facts import Alert, MarketInfo, MarketVersion, Side
from shared.units import NS_PER_S, BootNs, Instant, MoneyE6, PriceE4, SizeE6, notional_e6
from shared.venue.account_wire import (
    BALANCE_ALLOWANCE,
    COLLATERAL_ASSET,
    ORDER_VERSIONS_OURS,
    TOKENS_ASSET,
    VERSION_PATH,
    BalanceAllowance,
    balance_path,
)
from shared.venue.approvals import TRADING
from shared.venue.contracts import contract_name
from shared.venue.decimals import format_money
from shared.venue.faults import WireFault
from shared.venue.market_wire import VERSION
from shared.venue.order_hash import exchange_domain
from shared.venue.wire import WireNumber, decode

FRESH_NS: Final = 60 * NS_PER_S
"""How often what is right is read again; somebody may revoke it."""

LACKING_NS: Final = 5 * NS_PER_S
"""How often while something is missing: people wait for what they have just mended."""

RETRY_NS: Final = NS_PER_S
"""After a read that said nothing."""

MENDED_BY: Final = "run `interlock approve`"

OK: Final = 200
TEXT_MAX: Final = 120
AMOUNT_DIGITS_MAX: Final = 78
"""Digits of the largest number of a contract."""

_EXCHANGES: Final = tuple(dict.fromkeys(approval.spender for approval in TRADING))


class Holding(msgspec.Struct, frozen=True):
    """The venue's answer on one kind of asset.

    Attributes:
        allowances: In 1e-6, by the spender's lower-case address.
        read_ns: CLOCK_BOOTTIME of the sending of the question.
    """

    balance_e6: int
    allowances: dict[str, int]
    read_ns: BootNs


class Approvals:
    """The newest answer of each kind, and the questions after the next."""

    def __init__(self, requests: Requests, deadline_ms: int, *, is_dry: bool) -> None:
        """Begin with nothing read.

        Args:
            requests: Numbers and builds the questions.
            deadline_ms: Of a read.
            is_dry: Whether nothing is sent, so that nothing has to be allowed.
        """
        self._requests = requests
        self._deadline_ms = deadline_ms
        self._is_dry = is_dry
        self._held: dict[str, Holding] = {}
        self._version: int | None = None
        self._next_ns: dict[str, BootNs] = {}
        self._under_way: set[str] = set()
        self._is_lacking = False
        self._troubles: dict[str, str] = {}
        self._told = ""

    # --- reading --------------------------------------------------------------------

    def tick(self, kind: int | None, markets: Iterable[MarketInfo], now: Instant) -> list[Effect]:
        """Ask what is due.

        Args:
            kind: Signature type of the wallet; None while nobody knows who trades.
            markets: Of the calendar: one token of each protocol is asked by.
            now: Present moment.
        """
        if kind is None:
            return []
        effects: list[Effect] = []
        if self._version is None and self._is_due(VERSION_PATH, now):
            effects.append(self._ask(VersionAsk(), VERSION_PATH, VERSION_PATH, now))
        tokens = {COLLATERAL_ASSET: ""}
        for info in markets:
            tokens.setdefault(TOKENS_ASSET[info.version], info.tokens[0])
        for asset, token in tokens.items():
            if not self._is_due(asset, now):
                continue
            if self._is_lacking:
                path = balance_path(asset, kind, token, is_update=True)
                effects.append(
                    self._requests.read(
                        AllowanceAsk(asset, is_update=True), path, self._deadline_ms, now.boot_ns
                    )
                )
            path = balance_path(asset, kind, token)
            effects.append(self._ask(AllowanceAsk(asset), asset, path, now))
        return [*effects, *self._tell(now)]

    def replied(self, ask: AllowanceAsk | VersionAsk, reply: HttpReply, now: Instant) -> None:
        """Take an answer; one that cannot be understood says nothing."""
        if isinstance(ask, AllowanceAsk) and ask.is_update:
            return
        name = VERSION_PATH if isinstance(ask, VersionAsk) else ask.asset
        self._under_way.discard(name)
        self._next_ns[name] = BootNs(now.boot_ns + RETRY_NS)
        if reply.status != OK:
            words = reply.body[:TEXT_MAX].decode(errors="replace")
            self._troubles[name] = f"{name} {reply.status} {words}"
            return
        try:
            if isinstance(ask, VersionAsk):
                self._version = decode(VERSION, reply.body, name).version
                return
            held = _holding(decode(BALANCE_ALLOWANCE, reply.body, name), reply.sent_ns)
        except WireFault as fault:
            self._troubles[name] = str(fault)[:TEXT_MAX]
            return
        if held is None:
            self._troubles[name] = f"{name}: no numbers"
            return
        self._held[name] = held
        self._is_lacking = bool(self._collateral_fault())
        every_ns = LACKING_NS if self._is_lacking else FRESH_NS
        self._next_ns[name] = BootNs(now.boot_ns + every_ns)

    def failed(self, ask: AllowanceAsk | VersionAsk, failure: HttpFailed, now: Instant) -> None:
        """Take the lack of an answer."""
        if isinstance(ask, AllowanceAsk) and ask.is_update:
            return
        name = VERSION_PATH if isinstance(ask, VersionAsk) else ask.asset
        self._under_way.discard(name)
        self._next_ns[name] = BootNs(now.boot_ns + RETRY_NS)
        self._troubles[name] = f"{name} {failure.reason}"

    def doubt(self, now: Instant) -> None:
        """Read anew soon: an order was refused, or denied, for what was read."""
        soon_ns = BootNs(now.boot_ns + LACKING_NS)
        for name in self._held:
            self._next_ns[name] = min(self._next_ns.get(name, soon_ns), soon_ns)

    # --- judging --------------------------------------------------------------------

    def unread(self) -> str:
        """Say what the start waits for; empty once money and version were read."""
        if self._is_dry or (self._version is not None and COLLATERAL_ASSET in self._held):
            return ""
        return self._unread_words()

    def predicate(self, now: Instant) -> Predicate:
        """Return what must hold for any order that adds: some exchange may take our money."""
        fault = self._collateral_fault()
        held = self._held.get(COLLATERAL_ASSET)
        age_ns = None if held is None else now.boot_ns - held.read_ns
        return Predicate(
            "approvals", self._is_dry or not fault, False, fault, age_ns, reducing=True
        )

    def market_predicates(self, info: MarketInfo, now: Instant) -> tuple[Predicate, ...]:
        """Return what holds for buys and for sells in a market, for people."""
        found: list[Predicate] = []
        sides: tuple[Side, ...] = ("BUY", "SELL")
        for side in sides:
            held = self._held.get(_asset(side, info.version))
            denial = self._check_allowance(info, side, 1)
            found.append(
                Predicate(
                    f"approval_{side.lower()}",
                    denial is None,
                    False,
                    "" if denial is None else denial.value,
                    None if held is None else now.boot_ns - held.read_ns,
                )
            )
        return tuple(found)

    def check(
        self, info: MarketInfo, side: Side, price: PriceE4, size: SizeE6, now: Instant
    ) -> Denial | None:
        """Return why an order may not pass: not approved, not covered, or not known."""
        amount = notional_e6(price, size) if side == "BUY" else size
        denial = self._check_allowance(info, side, amount)
        if denial is None and side == "BUY":
            held = self._held.get(COLLATERAL_ASSET)
            if held is not None and held.balance_e6 < amount and not self._is_dry:
                has, wants = (format_money(MoneyE6(part)) for part in (held.balance_e6, amount))
                denial = Denial("balance", f"{has} USD of {wants}")
        if denial is not None:
            self.doubt(now)
        return denial

    def _check_allowance(self, info: MarketInfo, side: Side, amount: int) -> Denial | None:
        if self._is_dry:
            return None
        spender = exchange_domain(info.version, info.neg_risk).contract
        held = self._held.get(_asset(side, info.version))
        if held is None:
            return Denial("approval", f"not read yet for {contract_name(spender)}")
        fault = _fault_of(held, spender, amount)
        return Denial("approval", fault) if fault else None

    def _collateral_fault(self) -> str:
        """Say why no order at all may add; empty when one may."""
        held = self._held.get(COLLATERAL_ASSET)
        if held is None or self._version is None:
            return self._unread_words()
        if self._version not in ORDER_VERSIONS_OURS:
            return f"the venue takes orders of version {self._version}, which we do not sign"
        first = ""
        for spender in _EXCHANGES:
            fault = _fault_of(held, spender, 1)
            if not fault:
                return ""
            first = first or fault
        return first

    def _unread_words(self) -> str:
        """Say why the newest question after what is needed first has no answer."""
        name = VERSION_PATH if self._version is None else COLLATERAL_ASSET
        return self._troubles.get(name, f"{name} not read yet")

    # --- asking ---------------------------------------------------------------------

    def _is_due(self, name: str, now: Instant) -> bool:
        return name not in self._under_way and now.boot_ns >= self._next_ns.get(name, 0)

    def _ask(self, ask: AllowanceAsk | VersionAsk, name: str, path: str, now: Instant) -> Effect:
        self._under_way.add(name)
        return self._requests.read(ask, path, self._deadline_ms, now.boot_ns)

    def _tell(self, now: Instant) -> list[Effect]:
        """Tell people once of each new thing that is missing."""
        held, fault = self._held.get(COLLATERAL_ASSET), self._collateral_fault()
        if held is None or fault == self._told or self._is_dry:
            return []
        self._told = fault
        if not fault:
            return [Log("approvals.stand", {}, "info")]
        alert = Alert("critical", "approvals_missing", fault, "approvals-missing")
        return [Publish("risk.alert", alert, now.monotonic_ns)]


def _asset(side: Side, version: MarketVersion) -> str:
    """Return the kind of asset that an order gives."""
    return COLLATERAL_ASSET if side == "BUY" else TOKENS_ASSET[version]


def _fault_of(held: Holding, spender: str, amount: int) -> str:
    """Say why a spender may not move an amount; empty when it may."""
    allowed = held.allowances.get(spender.lower())
    if allowed is not None and allowed >= amount:
        return ""
    name = f"{spender} ({contract_name(spender)})"
    if allowed is None:
        return f"the venue names no allowance for spender {name}: contracts have changed"
    return f"allowance {allowed} for spender {name}; {MENDED_BY}"


def _holding(answer: BalanceAllowance, read_ns: BootNs) -> Holding | None:
    """Return an answer's numbers, None when one of them is none."""
    balance = _amount(answer.balance)
    amounts = {spender.lower(): _amount(raw) for spender, raw in answer.allowances.items()}
    known = {spender: amount for spender, amount in amounts.items() if amount is not None}
    if balance is None or len(known) < len(answer.allowances):
        return None
    return Holding(balance, known, read_ns)


def _amount(raw: WireNumber) -> int | None:
    """Return a whole number of 1e-6, None when it is none."""
    text = str(raw)
    is_number = text.isascii() and text.isdigit() and len(text) <= AMOUNT_DIGITS_MAX
    return int(text) if is_number else None
