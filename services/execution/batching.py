"""Posts of one turn, gathered into as few requests as the venue takes (EX-2).

Only quotes share a request. One that may take is held by the venue before it is matched, and
the answer for its neighbours with it; it leaves alone. Each order keeps its own permit, its own
deadline and its own fate: a batch is a way of sending and nothing else.

Source: https://docs.polymarket.com/api-reference (CLOB OpenAPI, POST /orders, 2026-09-28).
"""

from collections.abc import Iterable, Sequence

from services.execution.budgets.venue_rates import VenueRates
from services.execution.may_send import PlaceOrder, PlaceOrders
from services.execution.order_register import OrderRegister
from services.execution.requests import BatchAsk, Requests
from shared.units import BootNs
from shared.venue.orders_wire import BATCH_ORDERS_MAX, ORDER_PATH, ORDERS_PATH


def gather(
    posts: Sequence[PlaceOrder],
    requests: Requests,
    register: OrderRegister,
    rates: VenueRates,
    now_ns: BootNs,
) -> list[PlaceOrder | PlaceOrders]:
    """Return what is to be sent for the posts of one turn.

    Args:
        posts: Each with a request of its own, which is taken back where it is gathered.
        requests: Numbers the gathered ones.
        register: Holds the orders, which learn what carries them.
        rates: Has debited every post.
        now_ns: Present moment.
    """
    quotes = [post for post in posts if post.post_only]
    sent: list[PlaceOrder | PlaceOrders] = [post for post in posts if not post.post_only]
    for start in range(0, len(quotes), BATCH_ORDERS_MAX):
        chunk = quotes[start : start + BATCH_ORDERS_MAX]
        if len(chunk) == 1:
            sent += chunk
        else:
            sent.append(_join(chunk, requests, register, rates))
    for one in sent:
        path = ORDERS_PATH if isinstance(one, PlaceOrders) else ORDER_PATH
        requests.windows.count("POST", path, now_ns)
    return sent


def _join(
    posts: Sequence[PlaceOrder], requests: Requests, register: OrderRegister, rates: VenueRates
) -> PlaceOrders:
    order_ids = tuple(post.order_id for post in posts)
    _take_back(posts, requests)
    request_id = requests.number(BatchAsk(order_ids))
    rates.grouped((post.request_id for post in posts), request_id)
    for order_id in order_ids:
        order = register.find(order_id)
        assert order is not None, "an order under way is never forgotten"
        order.post_request = request_id
    return PlaceOrders(request_id, tuple(posts), min(post.deadline_ns for post in posts))


def _take_back(posts: Iterable[PlaceOrder], requests: Requests) -> None:
    for post in posts:
        asked = requests.take(post.request_id)
        assert asked is not None, "a post that is gathered has not been sent"
