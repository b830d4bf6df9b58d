"""What faults do to frames on their way out: leave out, repeat, hold back, or tell wrongly.

Every frame of every socket passes here while such a fault is on, and none while none is. Each
wrong form has been seen by users of the venue; `catalogue` says where.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from services.simulator.agenda import Agenda
from services.simulator.edge import Push
from services.simulator.faults.orders import FaultOrder
from services.simulator.faults.price_frames import FrozenPrices, payload_of, shift_stamp
from services.simulator.faults.switches import Fault, Faults
from services.simulator.markets import Calendar, Market
from services.simulator.verdicts import FOK_TEXT
from shared.effects import Effect
from shared.units import NS_PER_MS, Instant
from shared.venue.decimals import format_price
from shared.venue.streams_wire import PONG
from shared.venue.wire import encode

Frame = dict[str, Any]
DUMP = "dump"

_MS_DIGITS = 13
_STAMPS = ("timestamp", "match_time", "last_update")


class FrameFaults:
    """Stands between what the venue says and its sockets."""

    def __init__(self, faults: Faults, calendar: Calendar, agenda: Agenda) -> None:
        """Set what is on, what frames are about, and how to hold one back."""
        self._faults = faults
        self._calendar = calendar
        self._agenda = agenda
        self._held: list[Effect] = []
        self._kinds: dict[int, str] = {}
        self._frozen = FrozenPrices()

    def open(self, connection: int, kind: str) -> None:
        """Learn of which kind a socket is."""
        self._kinds[connection] = kind

    def close(self, connection: int) -> None:
        """Forget a socket."""
        self._kinds.pop(connection, None)

    def pass_on(self, effects: list[Effect], now: Instant) -> list[Effect]:
        """Return what really goes out of what should, and what was held back until now."""
        held, self._held = self._held, []
        faults = self._faults.of_frames(now.monotonic_ns)
        if not any(fault.order.kind == "freeze_price" for fault in faults):
            self._frozen.thaw()
        if not faults:
            return [*effects, *held] if held else effects
        out: list[Effect] = []
        for effect in effects:
            if isinstance(effect, Push):
                out += self._judge(effect, faults, now)
            else:
                out.append(effect)
        return [*out, *held]

    def _judge(self, push: Push, faults: tuple[Fault, ...], now: Instant) -> list[Effect]:
        stream = self._kinds.get(push.connection, "")
        faults = tuple(fault for fault in faults if fault.order.stream in ("", stream))
        if push.text in (PONG, ""):
            return [] if any(fault.order.kind == "mute" for fault in faults) else [push]
        decoded = msgspec.json.decode(push.text) if faults else None
        texts = [push.text]
        is_garbled = False
        for fault in faults:
            if not self._meets(fault, push.text, decoded) or not self._faults.strikes(fault):
                continue
            match fault.order.kind:
                case "mute" | "lose_frames":
                    return []
                case "double_frames":
                    texts = [*texts, *texts]
                case "cut_frames":
                    return [Push(push.connection, texts[0], is_cut=True)]
                case "delay_frames":
                    return self._hold(push.connection, texts, fault.order.delay_ms, now)
                case "garble_frames":
                    is_garbled = True
                case _:
                    order = fault.order
                    texts = [wrong for text in texts for wrong in self._alter(order, text, now)]
        if is_garbled:
            texts = [text[: len(text) // 2] for text in texts]
        return [Push(push.connection, text) for text in texts]

    def _meets(self, fault: Fault, text: str, decoded: object) -> bool:
        order = fault.order
        if order.event and order.event not in _events(decoded):
            return False
        if not order.asset or order.asset in text:
            return True
        market = self._market(decoded)
        return market is not None and market.asset == order.asset

    def _market(self, decoded: object) -> Market | None:
        first = decoded[0] if isinstance(decoded, list) and decoded else decoded
        if not isinstance(first, dict):
            return None
        return self._calendar.by_condition.get(first.get("market", ""))

    def _hold(self, connection: int, texts: list[str], delay_ms: int, now: Instant) -> list[Effect]:
        pushes = [Push(connection, text) for text in texts]

        def release(later: Instant) -> list[Effect]:
            self._held += pushes
            return []

        self._agenda.at(now.monotonic_ns + max(1, delay_ms) * NS_PER_MS, release)
        return []

    def _alter(self, order: FaultOrder, text: str, now: Instant) -> list[str]:
        kind = order.kind
        decoded = msgspec.json.decode(text)
        frames: list[Frame] = decoded if isinstance(decoded, list) else [decoded]
        if kind == "repeat_tick":
            market = self._market(decoded)
            is_change = market is not None and frames[0].get("event_type") == "price_change"
            return [text, _same_tick(market, now)] if is_change and market else [text]
        for frame in frames:
            if kind == "shift_stamps":
                shift_stamp(frame, order.delay_ms)
            elif kind == "freeze_price":
                self._frozen.freeze(frame)
            else:
                _CHANGES[kind](frame)
        return [encode(decoded).decode()]


def _events(decoded: object) -> tuple[object, ...]:
    """Return by what names a fault may mean a frame."""
    if isinstance(decoded, list):
        return (DUMP,)
    if not isinstance(decoded, dict):
        return ()
    names = ("event_type", "type", "status", "op", "channel", "topic")
    payload = payload_of(decoded)
    source = None if payload is None else payload.get("source")
    return (*(decoded.get(name) for name in names), source)


def _same_tick(market: Market, now: Instant) -> str:
    """Return a change from a tick to itself.

    Source: https://github.com/nautechsystems/nautilus_trader/issues/2980.
    """
    tick = format_price(market.tick)
    frame = {
        "event_type": "tick_size_change",
        "market": market.condition_id,
        "asset_id": market.tokens[0],
        "old_tick_size": tick,
        "new_tick_size": tick,
        "timestamp": str(now.wall_ms),
    }
    return encode(frame).decode()


def _stamp_seconds(frame: Frame) -> None:
    for name in _STAMPS:
        stamp = frame.get(name)
        if isinstance(stamp, str) and len(stamp) == _MS_DIGITS:
            frame[name] = stamp[:-3]


def _text_bucket(frame: Frame) -> None:
    if "bucket_index" in frame:
        frame["bucket_index"] = str(frame["bucket_index"])


def _prose_status(frame: Frame) -> None:
    if frame.get("type") == "CANCELLATION":
        frame["status"] = "CANCELED_" + FOK_TEXT
        frame.update({"size_matched": "", "outcome": "", "created_at": ""})


def _update_canceled(frame: Frame) -> None:
    if frame.get("type") == "CANCELLATION":
        frame.update({"type": "UPDATE", "status": "CANCELED"})


def _loose_fields(frame: Frame) -> None:
    if frame.get("event_type") not in ("order", "trade"):
        return
    for name in ("original_size", "match_time", "transaction_hash"):
        frame.pop(name, None)
    frame.update({"owner": None, "outcome": 1, "expiration": [], "side": frame["side"].lower()})
    frame["id"] = frame["id"][:2] + frame["id"][2:].upper()


def _garble(frame: Frame) -> None:
    if frame.get("event_type") in ("order", "trade"):
        frame["price"] = "?"


def _other_end(frame: Frame) -> None:
    if frame.get("event_type") == "trade":
        frame["status"] = _OTHER_ENDS.get(frame["status"], frame["status"])


_OTHER_ENDS = {"CONFIRMED": "FAILED", "FAILED": "CONFIRMED"}


def _lie_touch(frame: Frame) -> None:
    for change in frame.get("price_changes", ()):
        change.update({"best_bid": "0.01", "best_ask": "0.99"})


def _lie_level(frame: Frame) -> None:
    for change in frame.get("price_changes", ()):
        change["size"] = "7777"


def _corrupt_hash(frame: Frame) -> None:
    for part in (frame, *frame.get("price_changes", ())):
        if part.get("hash"):
            part["hash"] = part["hash"][::-1]


def _cross_book(frame: Frame) -> None:
    if frame.get("event_type") == "book":
        frame["bids"] = [*frame["bids"], {"price": "0.99", "size": "7777"}]
        frame["asks"] = [*frame["asks"], {"price": "0.01", "size": "7777"}]
    for change in frame.get("price_changes", ()):
        change.update({"price": "0.99" if change["side"] == "BUY" else "0.01", "size": "7777"})


def _empty_side(frame: Frame) -> None:
    if frame.get("event_type") == "book":
        frame["bids"] = []
    for change in frame.get("price_changes", ()):
        if change["side"] == "BUY":
            change.update({"size": "0", "best_bid": ""})


_CHANGES: dict[str, Callable[[Frame], None]] = {
    "stamp_seconds": _stamp_seconds,
    "text_bucket": _text_bucket,
    "prose_status": _prose_status,
    "update_canceled": _update_canceled,
    "loose_fields": _loose_fields,
    "garble_own": _garble,
    "other_end": _other_end,
    "lie_touch": _lie_touch,
    "lie_level": _lie_level,
    "corrupt_hash": _corrupt_hash,
    "cross_book": _cross_book,
    "empty_side": _empty_side,
}
