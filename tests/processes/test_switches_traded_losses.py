"""The breakers of losses in one group whose losses are traded at the simulator, and lost there.

Nobody takes but a second account, which sells into the group's bids when the test says so; the
venue then decides the market against what was bought. The same under virtual time, with
every moment in reach, is in `tests/simulation/test_losing.py`.
"""

import json
import signal
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from bus import clock
from ops.waiting import wait_for
from shared.facts import LossStatus, RiskStatus, SwitchStatus
from shared.losses import DAY_NS, day_of
from shared.topics import CARETAKER, MARKET_MAKING, RISK
from shared.units import NS_PER_S
from tests.processes.accounts import VenueFill, VenueSide, units
from tests.processes.group import GroupUnderTest
from tests.processes.rival import Rival
from tests.processes.wire_log import OpenOrders, WireRecord, profit_of

WAIT_S = 60.0
DAY_LEFT_NS = 120 * NS_PER_S

SETTINGS = """
[timing]
clean_data_ms = 500
reconcile_full_ms = 2000
mismatch_grace_ms = 1000

[limits]
shares_per_outcome_max = 60
unpaired_shares_global_max = 300

[strategy.market_making]
price_e4_min = 1500
"""
TIGHT = "trade_percent_max = 1\n"
DAILY = "daily_percent_max = 20\n"
CHANGES = {
    'assets = ["btc"]': 'assets = ["btc", "eth", "sol", "xrp", "bnb", "doge"]',
    "start_usd = 500": "start_usd = 100",
    "trade_percent_max = 10\n": f"{TIGHT}{DAILY}session_percent_max = 1000000\n",
    "trades = 1000": "trades = 5",
    "takers_per_second = 2.0": "takers_per_second = 0.0\nmined_ms = 200\nconfirmed_ms = 200",
}
"""A capital of 100 USD: a market that loses one closes everything, a day that loses twenty ends.

Five decided markets judge their strategy; the sixth is there for what it does afterwards.
"""

TRADE_LIMIT_E6 = 1_000_000
DAILY_LIMIT_E6 = 20_000_000
WARN_E6 = 16_000_000
ROOM_E6 = 100_000
"""Between two counts of the same fills there is none; this keeps off the limit itself."""


class Losing:
    """A group, what it holds by the venue's log, and who sells to it."""

    def __init__(self) -> None:
        self.group = GroupUnderTest(extra=SETTINGS, changes=CHANGES)
        ran = self.group.up()
        assert ran.status == 0, repr(ran)
        self.day = day_of(clock.read().wall_ns)
        self.account = self.group.address.lower()
        self.rival = Rival(self.group.venue)
        self.markets = [one["market"] for one in self._listed() if one["state"] == "OPEN"]

    def _listed(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.group.venue.ask("GET", "/admin/markets")
        return rows

    # --- what the group says ----------------------------------------------------------

    def waits_for(self, what: Callable[[], Any]) -> Any:
        """Wait until something holds, and return it."""
        found = wait_for(lambda: what() or None, WAIT_S)
        assert found, f"not within {WAIT_S} s: {self.risk()}\n{self.group.log_tails()}"
        return found

    def risk(self) -> RiskStatus | None:
        """Return what risk says."""
        return self.group.view().risk()

    def heard(self) -> RiskStatus:
        """Return what risk says, as soon as it is heard."""
        found = self.waits_for(self.risk)
        assert isinstance(found, RiskStatus)
        return found

    def latched(self) -> set[str]:
        """Return the latches that hold."""
        risk = self.risk()
        return set() if risk is None else {one.name for one in risk.switches if one.kind == "latch"}

    def shown(self, name: str) -> SwitchStatus | None:
        """Return a switch as risk shows it, None while it is clear."""
        return next((one for one in self.heard().switches if one.name == name), None)

    def said(self, strategy: str) -> str:
        """Return the state that a strategy says it is in; it speaks once a second."""
        status = self.group.view().strategies().get(strategy)
        return "unheard" if status is None else status.state

    def losses(self) -> LossStatus | None:
        """Return both counts."""
        risk = self.risk()
        return None if risk is None else risk.losses

    def counts_agree(self, made_e6: int) -> LossStatus:
        """Wait until risk's count and execution's both are what the venue's log says."""

        def look() -> LossStatus | None:
            losses = self.losses()
            told = None if losses is None else (losses.realised_e6, losses.told_realised_e6)
            return losses if told == (made_e6, made_e6) else None

        found = self.waits_for(look)
        assert isinstance(found, LossStatus)
        return found

    def alerted(self, name: str) -> bool:
        """Tell whether risk's log has an alert of a name."""
        log = self.group.run / "log" / "risk.log"
        return f'"risk.alert.{name}"' in log.read_text(errors="replace")

    def counted_breakers(self) -> list[tuple[str, str, str]]:
        """Return name, level and text of each alert of the breakers' count in risk's log."""
        log = self.group.run / "log" / "risk.log"
        lines = log.read_text(errors="replace").splitlines()
        told = [json.loads(line) for line in lines if '"risk.alert.breakers ' in line]
        return [(one["event"], one["level"], one["fields"]["text"]) for one in told]

    def resume(self, *words: str) -> tuple[int, str]:
        """Ask for a resume; return the status and what was said."""
        ran = self.group.command("resume", "--reason", "test", *words)
        return ran.status, ran.out + ran.err

    def resumes(self) -> None:
        """Resume until nothing blocks it: zero is proven first."""
        self.waits_for(lambda: self.resume()[0] == 0 or not self.latched())

    # --- what the venue says ----------------------------------------------------------

    def orders(self) -> OpenOrders:
        """Return the group's own orders from the log."""
        return self.group.venue.open_orders(lambda one: one["account"].lower() == self.account)

    def made_e6(self) -> int:
        """Return what the account has made by the venue's log, in whole 1e-6 USD."""
        self.group.venue.read()
        return units(str(profit_of(self.group.venue.records, self.account)), 6)

    def held(self) -> dict[str, Decimal]:
        """Return the shares that the venue says we hold."""
        account = self.group.venue.ask("GET", f"/admin/account?address={self.account}")
        return {token: Decimal(size) for token, size in account["tokens"].items() if Decimal(size)}

    def fills(self) -> list[VenueFill]:
        """Return all fills of ours."""
        self.group.venue.read()
        side = VenueSide(self.account)
        side.take(self.group.venue.of_kind("fill"))
        return list(side.fills.values())

    def posts(self) -> list[WireRecord]:
        """Return every post of ours that the venue has taken in, refused ones included."""
        self.group.venue.read()
        return [one for one in self.group.venue.of_kind("post") if one["account"] == self.account]

    def cost_e6(self, *markets: str) -> int:
        """Return what was paid for the shares of markets, less what was got for them."""
        return sum(
            one.money_e6 if one.side == "BUY" else -one.money_e6
            for one in self.fills()
            if one.market in markets
        )

    # --- what is done to it -----------------------------------------------------------

    def replaces(self, former: str, text: str) -> None:
        """Change the profile, for the next start."""
        profile = self.group.profile.read_text(encoding="utf-8")
        assert former in profile
        self.group.profile.write_text(profile.replace(former, text), encoding="utf-8")

    def buys(self, least_e6: int, *markets: str) -> None:
        """Let it buy one outcome of each market, in turn, until they have cost so much."""
        while (cost_e6 := self.cost_e6(*markets)) < least_e6:
            turn = min(markets, key=self.cost_e6)

            def sold(turn: str = turn, before_e6: int = cost_e6) -> bool:
                with self.group.venue.stillness():
                    bid = self._bid(turn)
                    if bid is not None:
                        self.rival.sells_into(bid)
                return self.cost_e6(*markets) > before_e6

            self.waits_for(sold)

    def _bid(self, market: str) -> WireRecord | None:
        """Return our bid in a market for what is held there, or else the cheaper; None for none.

        A share that costs less than half makes steps that no limit falls between.
        """
        held = self.held()
        (tokens,) = [one["tokens"] for one in self._listed() if one["market"] == market]
        wanted = [token for token in tokens if token in held] or tokens
        bids = [
            one
            for one in self.orders().open.values()
            if one["side"] == "BUY" and one["token"] in wanted
        ]
        return min(bids, key=lambda one: Decimal(one["price"]), default=None)

    def loses(self, market: str) -> None:
        """Let the venue decide a running market against what is held of it."""
        held = self.held()
        (tokens,) = [one["tokens"] for one in self._listed() if one["market"] == market]
        (token,) = [one for one in tokens if one in held]
        winner = 1 - tokens.index(token)
        self.group.venue.ask("POST", "/admin/resolve", {"market": market, "winner": winner})


@pytest.fixture(scope="module")
def losing() -> Iterator[Losing]:
    """One group for this file, in its order: what is lost stays lost."""
    made = Losing()
    try:
        yield made
    finally:
        made.group.close()


@pytest.fixture(autouse=True)
def same_day(losing: Losing) -> None:
    """What these tests lose, they lose on one day: its sums and counts begin anew at midnight."""
    now_ns = clock.read().wall_ns
    if day_of(now_ns) != losing.day or now_ns % DAY_NS >= DAY_NS - DAY_LEFT_NS:
        pytest.skip("the UTC day ends within two minutes, or has ended: its losses begin anew")


def assert_only_sold(losing: Losing, token: str, latched_ns: int) -> None:
    """Assert that all of a token was sold, never more, and nothing else was posted since."""
    fills = [one for one in losing.fills() if one.token == token]
    sold = [one for one in fills if one.side == "SELL"]
    assert 2 * sum(one.size_e6 for one in sold) == sum(one.size_e6 for one in fills)
    posts = losing.posts()
    first_ns = next(one["at_ns"] for one in posts if one["order_id"] == sold[0].order_id)
    since = [one for one in posts if one["at_ns"] >= min(first_ns, latched_ns)]
    assert {(one["side"], one["token"]) for one in since} == {("SELL", token)}


@pytest.mark.req("CB-1", "EX-17", "INV-9")
@pytest.mark.timeout(300)
def test_market_that_loses_too_much_closes_what_is_held_and_latches_through_the_death_of_everything(
    losing: Losing,
) -> None:
    group, (lost, held) = losing.group, losing.markets[:2]
    group.wait_until_trading()
    losing.buys(TRADE_LIMIT_E6 + ROOM_E6, lost)
    losing.buys(TRADE_LIMIT_E6, held)
    token = next(one.token for one in losing.fills() if one.market == held)
    losing.loses(lost)
    losing.waits_for(lambda: "loss_limit" in losing.latched())
    latched_ns = clock.read().monotonic_ns
    losing.waits_for(lambda: (risk := losing.risk()) and risk.trading_state == "REDUCING")
    losing.waits_for(lambda: not losing.held())
    losing.waits_for(lambda: not losing.orders().open)
    losing.counts_agree(losing.made_e6())
    assert_only_sold(losing, token, latched_ns)

    group.kill_everything()
    posts = len(losing.posts())
    losing.replaces(TIGHT, "trade_percent_max = 1000000\n")
    assert group.up().status == 0
    losing.waits_for(lambda: "loss_limit" in losing.latched())
    assert len(losing.posts()) == posts, "nothing new since"
    losing.resumes()
    group.wait_until_trading()


@pytest.mark.req("CB-2", "INV-9")
@pytest.mark.timeout(300)
def test_day_is_warned_of_at_four_fifths_and_over_at_its_limit_whatever_dies_or_resumes(
    losing: Losing,
) -> None:
    group, (second, third, last) = losing.group, losing.markets[1:4]
    group.wait_until_trading()
    assert not losing.alerted("daily_loss_near")
    losing.buys(WARN_E6 + ROOM_E6 + losing.made_e6(), second, third)
    before_e6 = -losing.made_e6()
    assert WARN_E6 <= before_e6 < DAILY_LIMIT_E6, "one fill is less than a fifth of the limit"
    losing.buys(DAILY_LIMIT_E6 - before_e6 + ROOM_E6, last)

    losing.loses(second)
    losing.loses(third)
    losses = losing.counts_agree(-before_e6)
    losing.waits_for(lambda: losing.alerted("daily_loss_near"))
    assert losses.daily_limit_e6 == DAILY_LIMIT_E6
    assert 80 <= losses.daily_percent < 100
    assert not losing.latched()

    losing.loses(last)
    losing.waits_for(lambda: "daily_loss" in losing.latched())
    losing.waits_for(lambda: (risk := losing.risk()) and risk.fence == "zero")
    assert not losing.orders().open
    posts = len(losing.posts())
    made_e6 = losing.made_e6()
    assert losing.counts_agree(made_e6).lost_e6 == -made_e6 >= DAILY_LIMIT_E6
    losing.waits_for(lambda: "daily_loss still holds" in losing.resume()[1])
    group.kill_everything()
    assert group.up().status == 0
    losing.waits_for(lambda: "daily_loss" in losing.latched())
    kept = losing.waits_for(losing.losses)
    assert kept.realised_e6 == made_e6, "counted by risk itself, and kept"
    assert losing.counts_agree(made_e6).daily_percent >= 100
    losing.waits_for(lambda: "daily_loss still holds" in losing.resume()[1])
    assert not losing.orders().open
    assert len(losing.posts()) == posts, "nothing new since"


@pytest.mark.req("CB-4", "INV-9")
@pytest.mark.timeout(300)
def test_strategy_that_lost_five_markets_is_latched_alone_until_an_operator_resumes_it(
    losing: Losing,
) -> None:
    """It has lost four by now; the day's limit is raised, so that its fifth is within it."""
    group, (fifth, sixth) = losing.group, losing.markets[4:]
    group.kill_everything()
    losing.replaces(DAILY, "daily_percent_max = 100\n")
    assert group.up().status == 0
    losing.waits_for(lambda: "daily_loss" in losing.latched())
    losing.resumes()
    group.wait_until_trading()
    assert not losing.shown("strategy_performance"), "four judge nothing"
    losing.buys(ROOM_E6, fifth)
    losing.waits_for(lambda: any(o["market"] == sixth for o in losing.orders().open.values()))
    before = losing.heard()

    losing.loses(fifth)
    latch = losing.waits_for(lambda: losing.shown("strategy_performance"))
    assert (latch.kind, latch.scope, latch.scope_id) == ("latch", "strategy", MARKET_MAKING)
    average_e6 = -losing.made_e6() // 5
    assert "win rate under 20 %" in latch.reason
    assert "5 closed markets: 0 % won, average win 0.00 USD" in latch.reason
    assert f"average loss {average_e6 / 1_000_000:.2f} USD, Sharpe -" in latch.reason
    losing.waits_for(lambda: not losing.orders().open)
    losing.waits_for(lambda: losing.said(MARKET_MAKING) == "held")
    posts = len(losing.posts())
    after = losing.heard()
    assert (after.trading_state, after.epoch) == ("ACTIVE", before.epoch), "no fence for it"
    losing.waits_for(lambda: losing.said(CARETAKER) in ("idle", "active"))

    group.signal(RISK, signal.SIGKILL)
    losing.waits_for(
        lambda: (
            (risk := losing.risk()) and risk.epoch > before.epoch and risk.trading_state == "ACTIVE"
        )
    )
    kept = losing.waits_for(lambda: losing.shown("strategy_performance"))
    assert (kept.reason, kept.version) == (latch.reason, latch.version), "every figure is saved"
    losing.waits_for(lambda: losing.said(MARKET_MAKING) == "held")
    assert len(losing.posts()) == posts, "nothing new since"
    status, said = losing.resume("--scope", f"strategy:{MARKET_MAKING}")
    assert status == 0, said
    group.wait_until_trading()
    assert not losing.shown("strategy_performance")
    assert {one["market"] for one in losing.orders().open.values()} == {sixth}


@pytest.mark.req("CB-6")
@pytest.mark.timeout(300)
def test_first_breaker_of_the_day_warned_and_each_further_one_was_critical(losing: Losing) -> None:
    """Every breaker that the tests above have tripped counts once, whatever died since."""
    told = losing.counted_breakers()
    count = len(told)
    assert [name for name, _, _ in told] == [f"risk.alert.breakers {n + 1}" for n in range(count)]
    assert [level for _, level, _ in told] == ["warning"] + ["critical"] * (count - 1)
    words = told[-1][2]
    assert words.startswith(f"{count} breakers tripped today (UTC): ")
    names = words.rpartition(": ")[2].split(", ")
    assert len(names) == count
    losses = [name for name in names if name not in ("resources", "abnormal_market")]
    assert losses == ["loss_limit", "daily_loss", "strategy_performance"]

    shown = losing.waits_for(lambda: losing.shown("breaker_count"))
    assert (shown.kind, shown.scope, shown.reason) == ("pause", "account", words)
    assert losing.heard().trading_state == "ACTIVE", "the count stops nothing"
