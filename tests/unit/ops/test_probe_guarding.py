"""Around a session: reasons not to begin, a sum that no step exceeds, signals, signatures."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from bus.settings import Settings
from ops.keys import Key
from ops.probe import guarding
from ops.probe.asking import Reply
from ops.probe.desk import is_taken, refusal_of
from ops.probe.folding import Folded
from ops.probe.guarding import Interrupted, interruptible, refusal_of_venue
from ops.probe.orders import LIFE_S, OverBudget, Poster, Terms, sign, spoil_signature
from ops.probe.place import Place, best_of
from ops.probe.twin import profile_text
from services.execution.signer import OrderSigner
from shared.config import Config, parse
from shared.facts import MarketInfo
from shared.identifiers import TokenId
from shared.units import MoneyE6, MonotonicNs, PriceE4, SizeE6, WallMs
from shared.venue.auth import Credentials
from shared.venue.book_hash import HashedBook, book_hash
from shared.venue.order_hash import UnsignedOrder, exchange_domain, order_hash
from shared.venue.orders_wire import POST_ORDER, PostOrder, to_unsigned_order
from tests.builders.execution_config import build_config
from tests.builders.markets import DOWN, MARKET, UP, market_info

SECRET = bytes.fromhex("4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318")
KEY = Key(SECRET)
WHO = Credentials(KEY.address, "api-key-1", "c2VjcmV0", "passphrase-1")
INFO: MarketInfo = market_info(tick_e4=PriceE4(100), min_size_e6=SizeE6(5_000_000))
PLACE = Place(INFO, UP, DOWN, PriceE4(4_800), PriceE4(4_900))


# --- beginning ---


def config_of(mode: str = "simulation", words: str = "", **urls: str) -> Config:
    config = build_config()
    run = msgspec.structs.replace(config.run, mode=mode, live_acknowledgement=words)
    venue = msgspec.structs.replace(config.venue, **urls)
    return msgspec.structs.replace(config, run=run, venue=venue)


@pytest.mark.req("VEN-9")
@pytest.mark.req("EX-21")
@pytest.mark.parametrize(
    ("mode", "words", "allowed"),
    [
        ("live", "I trade real money", True),
        ("live", "yes", False),
        ("live", "", False),
        ("paper", "I trade real money", False),
        ("simulation", "I trade real money", False),
        ("simulation", "", False),
    ],
)
@pytest.mark.parametrize("where", ["clob_url", "user_socket_url", "discovery_url"])
def test_real_venue_needs_the_live_acknowledgement(
    mode: str, words: str, allowed: bool, where: str
) -> None:
    assert refusal_of_venue(config_of(mode, words)) == "", "nothing remote, nothing to agree to"
    remote = config_of(mode, words, **{where: "https://clob.polymarket.com"})
    assert (refusal_of_venue(remote) == "") is allowed


def test_profile_of_a_simulator_of_our_own_is_one_that_loads() -> None:
    parsed = parse(profile_text(build_config(), 12_345))
    assert isinstance(parsed, Config), parsed
    assert parsed.simulator.port == 12_345
    assert parsed.venue.clob_url == "http://127.0.0.1:12345"
    assert refusal_of_venue(parsed) == ""


# --- signals ---


@pytest.fixture
def signals() -> Iterator[None]:
    with guarding.former_signals():
        yield


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.usefixtures("signals")
def test_first_signal_ends_the_script_and_later_ones_do_not_end_the_way_out(
    number: signal.Signals,
) -> None:
    with pytest.raises(Interrupted, match=number.name), interruptible(60.0):
        os.kill(os.getpid(), number)
    os.kill(os.getpid(), number)
    os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.usefixtures("signals")
def test_time_ends_the_script() -> None:
    with pytest.raises(Interrupted, match="the time is over"), interruptible(0.01):
        signal.pause()
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


# --- orders ---


class FakeVenue:
    """Takes requests down, and answers all alike."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    def ask(
        self,
        label: str,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        skew_s: int = 0,
        who: Credentials | None = None,
    ) -> Reply:
        self.bodies.append(body)
        return reply(200, {})

    def ask_openly(
        self, label: str, method: str, path: str, body: bytes = b"", *, url: str = ""
    ) -> Reply:
        raise AssertionError("orders are never posted openly")


def reply(status: int, body: object) -> Reply:
    text = msgspec.json.encode(body).decode()
    return Reply(status, {}, text, body, MonotonicNs(0), MonotonicNs(1))


def poster(venue: FakeVenue, allowed_e6: int) -> Poster:
    account = build_config().account
    return Poster(venue, PLACE, KEY, WHO, account, 137, MoneyE6(allowed_e6))


RESTING = Terms(UP, PriceE4(100), SizeE6(5_000_000))


@pytest.mark.req("VEN-9")
def test_nothing_is_posted_beyond_the_sum_that_was_agreed_to() -> None:
    venue = FakeVenue()
    desk = poster(venue, 100_000)
    first, second, third = (desk.make(RESTING) for _ in range(3))
    desk.post("a", first)
    desk.post("again", first)
    desk.post("b", second)
    assert desk.spent_e6 == 100_000, "the same order twice is one"
    with pytest.raises(OverBudget):
        desk.post("c", third)
    with pytest.raises(OverBudget):
        desk.post_batch("d", [second, third])
    assert len(venue.bodies) == 3
    assert desk.order_ids == [first.order_id, second.order_id]


def test_order_is_gtd_post_only_and_dies_by_itself() -> None:
    venue = FakeVenue()
    desk = poster(venue, 10**9)
    made = desk.make(RESTING)
    desk.post("a", made)
    sent: PostOrder = POST_ORDER.decode(venue.bodies[0])
    assert (sent.order_type, sent.post_only, sent.owner) == ("GTD", True, WHO.api_key)
    placed_s = int(sent.order.timestamp) // 1_000
    assert LIFE_S <= int(sent.order.expiration) - placed_s <= LIFE_S + 2
    domain = exchange_domain(INFO.version, INFO.neg_risk)
    assert order_hash(to_unsigned_order(sent.order), domain) == made.order_id
    sell = desk.make(Terms(UP, PriceE4(9_900), SizeE6(5_000_000), "SELL"))
    assert sell.worst_e6 == 50_000, "what the shares may come to be worth"


@pytest.mark.parametrize("kind", [0, 1, 2, 3])
def test_signature_is_the_gateways_own_for_every_wallet_kind(kind: int) -> None:
    order = UnsignedOrder(
        7, KEY.address, KEY.address, "111", 50_000, 5_000_000, 0, kind, 1_790_000_000_000
    )
    for version in ("v1", "v2"):
        domain = exchange_domain(version, False)
        assert sign(KEY, order, domain) == OrderSigner(SECRET).sign(order, domain)


def test_spoilt_signature_differs_in_one_digit_and_its_order_not_at_all() -> None:
    made = poster(FakeVenue(), 0).make(RESTING)
    spoilt = spoil_signature(made)
    pairs = zip(made.post.order.signature, spoilt.post.order.signature, strict=True)
    assert sum(one != other for one, other in pairs) == 1
    assert spoilt.order_id == made.order_id


@pytest.mark.parametrize(
    ("body", "taken"),
    [
        ({"success": True, "errorMsg": "", "orderID": "0x1", "status": "live"}, True),
        ({"success": True, "errorMsg": "post-only mode", "orderID": ""}, False),
        ({"success": True, "errorMsg": "x", "orderID": "0x1"}, False),
        ({"success": True, "errorMsg": ""}, False),
        ({"success": False, "errorMsg": "x", "orderID": "0x1"}, False),
        (None, False),
        ([], False),
    ],
)
def test_order_is_taken_only_when_all_parts_of_the_answer_say_so(body: object, taken: bool) -> None:
    assert is_taken(reply(200, body)) is taken
    assert not is_taken(reply(400, body))
    assert ("taken" in refusal_of(reply(200, body))) is taken


# --- books ---


def test_best_prices_are_found_wherever_they_stand_in_the_lists() -> None:
    rows = [{"price": "0.48"}, {"price": "0.01"}, {"price": "0.3"}]
    assert best_of({"bids": rows, "asks": []}) == (4_800, None)
    assert best_of({"bids": [], "asks": rows}) == (None, 100)
    assert best_of({"bids": [{"price": "x"}], "asks": rows}) == (None, 100)
    assert best_of(None) == (None, None)


def hashed(bids: dict[int, int], asks: dict[int, int], at: int, last: str) -> str:
    book = HashedBook(
        market=MARKET,
        token=TokenId(UP),
        venue_ms=WallMs(at),
        bids=tuple((PriceE4(p), SizeE6(s)) for p, s in sorted(bids.items())),
        asks=tuple((PriceE4(p), SizeE6(s)) for p, s in sorted(asks.items(), reverse=True)),
        min_size_e6=INFO.min_size_e6,
        tick_e4=INFO.tick_e4,
        neg_risk=INFO.neg_risk,
        version=INFO.version,
    )
    return book_hash(book, last)


def book_frame(size: str, at: int, wanted: str) -> dict[str, object]:
    return {
        "event_type": "book",
        "market": MARKET,
        "asset_id": UP,
        "timestamp": str(at),
        "hash": wanted,
        "bids": [{"price": "0.48", "size": size}],
        "asks": [{"price": "0.52", "size": "3"}],
    }


def change(size: str, at: int, wanted: str) -> dict[str, object]:
    row = {"asset_id": UP, "price": "0.47", "size": size, "side": "BUY", "hash": wanted}
    return {"event_type": "price_change", "timestamp": str(at), "price_changes": [row]}


def test_books_are_proven_at_first_after_batches_and_after_trades() -> None:
    folded = Folded(INFO)
    asks = {5_200: 3_000_000}
    folded.take(book_frame("5", 1, hashed({4_800: 5_000_000}, asks, 1, "")))
    assert (folded.snapshots, folded.snapshots_proven) == (1, 1)
    both = hashed({4_800: 5_000_000, 4_700: 9_000_000}, asks, 2, "")
    folded.take(change("1", 2, both))
    folded.take(change("9", 2, both))
    folded.take(change("0", 3, "of another book"))
    folded.finish()
    assert (folded.changes, folded.changes_proven) == (2, 1), "a batch is judged by its end"
    folded.take(book_frame("4", 4, hashed({4_800: 4_000_000}, asks, 4, "0.520")))
    folded.take({"event_type": "last_trade_price", "asset_id": UP, "price": "0.48"})
    assert (folded.traded, folded.traded_proven) == (1, 1)
    assert folded.rule == "one less the trade's price, with 3 decimals"


def test_frame_that_cannot_be_read_is_a_change_that_is_not_proven() -> None:
    folded = Folded(INFO)
    folded.take({"event_type": "price_change", "timestamp": "1"})
    assert (folded.changes, folded.changes_proven) == (1, 0)
    assert folded.proves({"asset_id": UP}) is None


def test_panic_latch_refuses_a_session(tmp_path: Path) -> None:
    (tmp_path / "PANIC").touch()
    settings = _settings(tmp_path)
    assert "PANIC stands" in guarding.refusal_of(settings)


def _settings(directory: Path) -> Settings:
    return Settings(
        config=build_config(),
        path=directory / "profile.toml",
        run_directory=directory / "run",
        data_directory=directory,
        key_file=directory / "key.hex",
        credentials_file=directory / "credentials.json",
        config_hash="",
        build_hash="",
        dependency_hash="",
    )
