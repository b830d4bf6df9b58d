"""What faults do to the frames of prices: move their stamps, or repeat the last price for ever.

A price that hangs is told with new stamps, which is what makes it dangerous: the stream advances,
and says nothing. The first price that is told while the fault is on stands until it is off.
"""

from typing import Any

Frame = dict[str, Any]

FROZEN_MAX = 64
"""Prices that stand still at once: channels times symbols times sources."""

_VALUES = ("value", "full_accuracy_value")


def payload_of(frame: Frame) -> Frame | None:
    """Return the price of a frame that tells a single one, None of every other frame."""
    payload = frame.get("payload")
    if not isinstance(payload, dict) or payload.get("timestamp") is None:
        return None
    return payload if payload.get("data") is None else None


def shift_stamp(frame: Frame, by_ms: int) -> None:
    """Stamp a price later, or earlier below zero."""
    payload = payload_of(frame)
    if payload is not None:
        payload["timestamp"] += by_ms


class FrozenPrices:
    """The prices that stand still."""

    def __init__(self) -> None:
        """Begin with none."""
        self._values: dict[tuple[object, ...], Frame] = {}

    def freeze(self, frame: Frame) -> None:
        """Let a frame tell the price at which its source stands."""
        payload = payload_of(frame)
        if payload is None:
            return
        names = (frame.get("channel"), frame.get("topic"), payload["symbol"], payload.get("source"))
        told = {name: payload[name] for name in _VALUES if name in payload}
        if len(self._values) < FROZEN_MAX:
            self._values.setdefault(names, told)
        payload.update(self._values.get(names, told))

    def thaw(self) -> None:
        """Forget where the prices stood."""
        self._values.clear()
