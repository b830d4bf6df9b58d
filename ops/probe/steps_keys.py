"""Steps about keys and clocks: who is let in, and who is sent away how."""

from ops.probe.answers import Scalar, broad_kind_of, field, normal_text
from ops.probe.asking import Silent
from ops.probe.desk import Desk, wait_s
from ops.probe.listening import Ear, Heard
from shared.units import NS_PER_MS
from shared.venue.account_wire import OPEN_ORDERS_PATH
from shared.venue.auth import Credentials
from shared.venue.streams_wire import PING, PONG
from shared.venue.wire import encode

SKEWS_S = (5, 15, 29, 31, 45, 59, 61, 90, 119, 121, 299, 301, 600, 3_601)
"""Timestamps tried in either direction until one is refused."""

ANSWER_S = 5.0
PRICES_S = 4.0
WRONG = "0" * 64


def clock_window(desk: Desk) -> None:
    """Send signed timestamps ever farther from now until they are refused."""
    shape: dict[str, Scalar] = {}
    text = ""
    for name, sign in (("old", -1), ("ahead", 1)):
        taken = 0
        shape[name] = f"over {SKEWS_S[-1]} s taken"
        for skew_s in SKEWS_S:
            reply = desk.asks.ask(
                f"clock_window.{name}", "GET", OPEN_ORDERS_PATH, skew_s=sign * skew_s
            )
            if reply.status != 200:
                shape[name] = f"{taken} s taken, {skew_s} s refused"
                text = f"{reply.status} {normal_text(str(field(reply.body, 'error')))}"
                break
            taken = skew_s
    if text:
        shape["refusal"] = text
    desk.answer("clock_window", shape)


def wrong_key(desk: Desk) -> None:
    """Show a wrong passphrase to the REST interface and to the own-order socket."""
    right = desk.credentials
    wrong = Credentials(right.address, right.api_key, right.secret, WRONG)
    reply = desk.asks.ask("wrong_key.rest", "GET", OPEN_ORDERS_PATH, who=wrong)
    text = normal_text(str(field(reply.body, "error")))
    desk.answer("unauthorised", {"http": reply.status, "text": text})
    with Ear("wrong_key.socket", desk.config.venue.user_socket_url, desk.transcript) as ear:
        ear.send(subscription(wrong))
        ended = ear.wait_for_end(ANSWER_S)
        frames = ear.heard()
        shape: dict[str, Scalar] = {
            "frames": len(frames),
            "closed": "no" if ended is None else f"code {ended[0]}",
        }
        if ended is None:
            ear.send(PING)
            pong = ear.wait_for(lambda heard: heard.text.strip() == PONG, ANSWER_S)
            shape["answers PING"] = pong is not None
    desk.answer("user_wrong_key", shape)


def subscription(who: Credentials) -> str:
    """Return the first frame on an own-order socket: all markets of a key."""
    auth = {"apiKey": who.api_key, "secret": who.secret, "passphrase": who.passphrase}
    return encode({"type": "user", "auth": auth}).decode()


def ping_user(desk: Desk) -> None:
    """Ping the own-order socket."""
    sent_ns = desk.user.send(PING)
    pong = desk.user.wait_for(
        lambda heard: heard.text.strip() == PONG and heard.at_ns > sent_ns, ANSWER_S
    )
    words = "nothing" if pong is None else pong.text.strip()
    measured: dict[str, Scalar] = {}
    if pong is not None:
        measured["ms"] = round((pong.at_ns - sent_ns) / NS_PER_MS)
    desk.answer("ping_user", {"answers PING": words}, measured)


def prices(desk: Desk) -> None:
    """Listen to the price socket, without a key and with ours."""
    symbol = f"{desk.config.markets.assets[0]}usd"
    channel = "price.crypto.twap"
    wish = {"channel": channel, "filter": {"symbol": symbol, "window_seconds": 60}}
    subscribe = encode({"op": "subscribe", "rid": "1", "subscriptions": [wish]}).decode()
    url = desk.config.venue.price_socket_url
    with Ear("prices.open", url, desk.transcript) as ear:
        ear.send(subscribe)
        refused = ear.wait_for(lambda heard: bool(heard.objects()), ANSWER_S)
    code = "nothing" if refused is None else str(field(refused.body, "code"))
    who = desk.credentials
    auth = {"apiKey": who.api_key, "secret": who.secret, "passphrase": who.passphrase}
    with Ear("prices", url, desk.transcript) as ear:
        ear.send(encode({"op": "auth", "rid": "a", "auth": auth}).decode())
        authed = ear.wait_for(lambda heard: bool(heard.objects()), ANSWER_S)
        if authed is None:
            raise Silent("prices: no answer to auth")
        ear.send(subscribe)
        wait_s(PRICES_S)
        data = [
            heard
            for heard in ear.heard()
            if field(heard.body, "channel") == channel and field(heard.body, "payload") is not None
        ]
    told = [field(heard.body, "seq") for heard in data]
    numbers = [number for number in told if isinstance(number, int)]
    first = numbers[0] if numbers else 0
    desk.answer(
        "price_socket",
        {
            "without key": code,
            "with key": str(field(authed.body, "op")),
            "seq dense": bool(told) and told == list(range(first, first + len(told))),
            "first seq": first if numbers else "none",
            "value": broad_kind_of(_value(data)),
        },
        {"frames": len(numbers)},
    )


def _value(data: list[Heard]) -> object:
    for heard in reversed(data):
        value = field(heard.body, "payload", "full_accuracy_value")
        if value is not None:
            return value
    return None
