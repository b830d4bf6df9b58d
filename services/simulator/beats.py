"""Heartbeats: the requests that carry them, and the end of the orders of who stops.

Source: https://docs.polymarket.com/trading/manage-orders (2026-09-28).
"""

from services.simulator.answers import Answer, error, ok
from services.simulator.edge import Request
from services.simulator.exchange import Exchange
from services.simulator.faults.switches import Faults
from services.simulator.heartbeat import Heartbeats
from services.simulator.modes import Modes
from services.simulator.stamps import Stamps
from shared.units import Instant
from shared.venue.auth import Credentials
from shared.venue.faults import Malformed
from shared.venue.orders_wire import HEARTBEAT_REQUEST, HeartbeatRefusal, HeartbeatReply
from shared.venue.wire import decode, encode


class Beats:
    """Handles heartbeats."""

    def __init__(
        self,
        exchange: Exchange,
        heartbeats: Heartbeats,
        modes: Modes,
        stamps: Stamps,
        faults: Faults,
    ) -> None:
        """Set the parts."""
        self._exchange = exchange
        self._heartbeats = heartbeats
        self._modes = modes
        self._stamps = stamps
        self._faults = faults

    def beat(self, request: Request, who: Credentials, now: Instant) -> Answer:
        """Handle POST /v1/heartbeats."""
        refused = self._modes.check_restarting(now)
        if refused is not None:
            return refused
        try:
            sent = decode(HEARTBEAT_REQUEST, request.body, "heartbeat").heartbeat_id
        except Malformed:
            return error(400, "Invalid payload")
        if self._faults.struck_by("fight_beats", now.monotonic_ns) is not None:
            self._heartbeats.take_over(who.api_key, now.monotonic_ns)
        following = self._heartbeats.accept(who.api_key, sent, now.monotonic_ns)
        self._stamps.add("beat", now, owner=who.api_key, accepted=following is not None)
        if following is None:
            expected = self._heartbeats.expected(who.api_key)
            return Answer(400, encode(HeartbeatRefusal("Invalid Heartbeat ID", expected)))
        return ok(HeartbeatReply(following))

    def beat_plainly(self, request: Request, who: Credentials, now: Instant) -> Answer:
        """Handle POST /heartbeats, the route without an id: it arms and keeps the same switch.

        Its timing is not documented; here it is that of the other route.
        """
        refused = self._modes.check_restarting(now)
        if refused is not None:
            return refused
        expected = self._heartbeats.expected(who.api_key)
        self._heartbeats.accept(who.api_key, expected, now.monotonic_ns)
        self._stamps.add("beat", now, owner=who.api_key, accepted=True)
        return ok({"status": "ok"})

    def sweep(self, now: Instant) -> None:
        """Cancel the orders of keys that have stopped to beat."""
        for key in self._heartbeats.sweep(now.monotonic_ns):
            orders = tuple(self._exchange.open.get(key, {}).values())
            self._stamps.add("dead_man", now, owner=key, orders=len(orders))
            for order in orders:
                self._exchange.cancel(order, now, status="CANCELED", cause="dead_man")
