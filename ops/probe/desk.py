"""What every step of the script works with, and the few things that many of them do."""

import threading
from collections.abc import Callable

import msgspec

from bus import clock
from ops.probe.answers import Answer, Scalar, field, normal_text
from ops.probe.asking import Asker, Reply, Silent
from ops.probe.listening import Ear, Heard
from ops.probe.orders import Made, Poster, Terms
from ops.probe.place import Place, best_of
from ops.probe.transcript import Transcript
from shared.config import Config
from shared.identifiers import OrderHash
from shared.units import NS_PER_S, PRICE_ONE_E4, MoneyE6, PriceE4, SizeE6
from shared.venue.account_wire import ORDER_PATH_PREFIX
from shared.venue.auth import Credentials
from shared.venue.orders_wire import ORDER_PATH, CancelOrder
from shared.venue.wire import encode

EVENT_S = 5.0
"""For an event of the user socket that should come."""

CROSS_TICKS = 2
"""Beyond the touch, which moves while an order is on its way."""

MOVES_TICKS = 10
"""How far the touch may move during a session before what crosses is not asked any more."""

POLL_EVERY_S = 1.0
"""Far below every limit of the venue."""

Answers = dict[str, Answer]


class Desk(msgspec.Struct):
    """One session at work.

    Attributes:
        place: The market.
        user: The own-order socket, open through the whole script.
        answers: What was answered so far, by question.
    """

    config: Config
    credentials: Credentials
    transcript: Transcript
    asks: Asker
    place: Place
    poster: Poster
    user: Ear
    answers: Answers = {}

    # --- answers --------------------------------------------------------------------

    def answer(
        self, question: str, shape: dict[str, Scalar], measured: dict[str, Scalar] | None = None
    ) -> None:
        """Keep an answer."""
        self.answers[question] = Answer(question, shape, measured or {})

    # --- orders ---------------------------------------------------------------------

    def resting(self) -> Terms:
        """Return the terms of a minimum buy at the lowest price there is."""
        info = self.place.info
        return Terms(self.place.token, info.tick_e4, info.min_size_e6)

    def crossing_price(self, label: str) -> PriceE4:
        """Return a price that crosses the book as it is now: the touch has moved since.

        Raises:
            Silent: The side is empty, or so dear now that the sum agreed to may not hold.
        """
        path = f"/book?token_id={self.place.token}"
        _, ask = best_of(self.asks.ask_openly(label, "GET", path).body)
        if ask is None:
            raise Silent(f"{label}: nothing is offered")
        price = PriceE4(ask + CROSS_TICKS * self.place.info.tick_e4)
        if price > dearest(self.place):
            raise Silent(f"{label}: the touch has moved beyond the sum agreed to")
        return price

    def rest(self, label: str, terms: Terms | None = None) -> Made:
        """Post an order that must rest.

        Raises:
            Silent: It does not.
        """
        made = self.poster.make(terms or self.resting())
        reply = self.poster.post(label, made)
        if not is_taken(reply):
            raise Silent(f"{label}: {reply.status} {reply.text[:120]}")
        return made

    def cancel(self, label: str, order_id: str) -> Reply:
        """Cancel one order."""
        return self.asks.ask(label, "DELETE", ORDER_PATH, encode(CancelOrder(order_id)))

    def look(self, label: str, order_id: str) -> Reply:
        """Ask for one order."""
        return self.asks.ask(label, "GET", ORDER_PATH_PREFIX + order_id)

    def order_event(self, order_id: OrderHash, kind: str, within_s: float) -> Heard | None:
        """Return the first event of a kind about an order; None when none comes in time."""
        return self.user.wait_for(lambda heard: is_event(heard, order_id, kind), within_s)

    def gone_within(self, label: str, order_id: OrderHash, within_s: float) -> str | None:
        """Return the status of an order once it is not live any more; None when it stays.

        Raises:
            Silent: Nobody answered.
        """

        def look() -> str | None:
            reply = self.look(label, order_id)
            status = field(reply.body, "status")
            if reply.status == 404 or reply.body is None:
                return f"http {reply.status}"
            return status if isinstance(status, str) and "LIVE" not in status else None

        return poll(look, within_s)


def poll(look: Callable[[], str | None], within_s: float) -> str | None:
    """Return what `look` finds, asked about once a second; None when the time is over."""
    still = threading.Event()
    deadline_ns = clock.read().monotonic_ns + int(within_s * NS_PER_S)
    while (found := look()) is None and clock.read().monotonic_ns < deadline_ns:
        still.wait(POLL_EVERY_S)
    return found


def wait_s(seconds: float) -> None:
    """Stand still for a while."""
    threading.Event().wait(seconds)


def is_taken(reply: Reply) -> bool:
    """Tell whether an answer says in all of its parts that an order was taken."""
    return (
        reply.status == 200
        and field(reply.body, "success") is True
        and not field(reply.body, "errorMsg")
        and bool(field(reply.body, "orderID"))
    )


def is_event(heard: Heard, order_id: str, kind: str) -> bool:
    """Tell whether a frame is an event of a kind about an order; of any kind when empty."""
    return any(
        one.get("event_type") == "order"
        and one.get("id") == order_id
        and kind in ("", one.get("type"))
        for one in heard.objects()
    )


def refusal_of(reply: Reply) -> dict[str, Scalar]:
    """Return the form of a refusal: status, where its text stands, and the text."""
    if is_taken(reply):
        return {"taken": True}
    for name in ("error", "errorMsg", "error_msg"):
        text = field(reply.body, name)
        if isinstance(text, str) and text:
            return {"http": reply.status, "in": name, "text": normal_text(text)}
    return {"http": reply.status, "in": "body", "text": normal_text(reply.text)}


def worst_case_e6(
    place: Place, resting: int, crossing: int, takes: bool
) -> tuple[MoneyE6, SizeE6, PriceE4]:
    """Return what a script costs with every order filled whole, and the taking order.

    Args:
        place: The market.
        resting: Orders at the lowest price, and sells at the highest.
        crossing: Post-only orders at the touch, which the venue must refuse.
        takes: Whether one minimum order is meant to be filled.
    """
    info = place.info
    size = taking_size(place)
    far = info.tick_e4 * 2 * info.min_size_e6 // 10_000
    price = dearest(place)
    near = price * info.min_size_e6 // 10_000
    taken = price * size // 10_000 if takes else 0
    return MoneyE6(resting * far + crossing * near + taken), size, price


def dearest(place: Place) -> PriceE4:
    """Return the highest price that is paid, wherever the touch moves meanwhile."""
    tick = place.info.tick_e4
    return PriceE4(min(place.ask + MOVES_TICKS * tick, PRICE_ONE_E4 - tick))


def taking_size(place: Place) -> SizeE6:
    """Return the smallest buy at the touch that the venue takes: five shares and a dollar."""
    whole = 1_000_000
    dollar = -(-10_000 * whole // place.ask)
    return SizeE6(-(-max(place.info.min_size_e6, dollar) // whole) * whole)
