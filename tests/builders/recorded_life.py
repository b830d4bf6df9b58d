"""A core driven as the loop drives it, with everything that a recorder would have kept of it."""

from pathlib import Path
from typing import Any

from bus.envelope import SCHEMA as FACT_SCHEMA
from bus.envelope import Header, decode, encode
from bus.sequence import Numbering
from bus.turn_log import TurnLog
from shared.config import Config
from shared.effects import Core, Effect, Message, Publish, Received
from shared.identifiers import Component, Incarnation
from shared.recording import MAGIC, SCHEMA, FactRecord, Head, Record, frame
from shared.topics import STATE
from shared.units import Instant, MonotonicNs


class RecordedLife:
    """One run of a component and the records of it.

    Attributes:
        records: In the order in which a recorder would have taken them in.
    """

    def __init__(
        self,
        core: Core,
        config: Config,
        now: Instant,
        *,
        component: Component = STATE,
        incarnation: int = 77,
        build_hash: str = "b",
    ) -> None:
        self.core = core
        self.component = component
        self.incarnation = Incarnation(incarnation)
        self.records: list[Record] = []
        self._numbers: dict[tuple[Component, int], Numbering] = {}
        self._log = TurnLog(component, config, build_hash, now)

    def hear(
        self, component: Component, topic: str, body: Any, now: Instant, incarnation: int = 1
    ) -> None:
        """Let somebody publish a fact that the core and the recorder hear."""
        record, received = self._publish(component, incarnation, topic, body, now, now)
        self.records.append(record)
        self.give(received, now)

    def give(self, message: Message, now: Instant, *, whole: bool = False) -> None:
        """Give the core a message."""
        self._log.given(message, now, whole=whole)
        self._apply(self.core.on_message(message, now), now)

    def tick(self, now: Instant) -> None:
        """Give the core a tick, and tell what it was given when that is due."""
        self._log.given(None, now)
        self._apply(self.core.on_tick(now), now)
        self._apply(list(self._log.take(now)), now)

    def end(self, now: Instant) -> None:
        """Tell the rest, as a process does at its end."""
        self._apply(list(self._log.flush(now)), now)

    def write(self, path: Path) -> Path:
        """Write the recording."""
        head = Head(SCHEMA, 5, 1, MonotonicNs(1))
        path.write_bytes(MAGIC + b"".join(frame(record) for record in (head, *self.records)))
        return path

    def of(self, topic: str) -> list[int]:
        """Return the places of a topic's records."""
        return [
            place
            for place, record in enumerate(self.records)
            if isinstance(record, FactRecord) and record.topic == topic
        ]

    def spoil(self, place: int, **changes: Any) -> None:
        """Change what was recorded."""
        record = self.records[place]
        assert isinstance(record, FactRecord)
        fields = {name: getattr(record, name) for name in record.__struct_fields__}
        self.records[place] = FactRecord(**{**fields, **changes})

    def _apply(self, effects: list[Effect], now: Instant) -> None:
        for effect in effects:
            if isinstance(effect, Publish):
                record, _ = self._publish(
                    self.component,
                    self.incarnation,
                    effect.topic,
                    effect.body,
                    now,
                    now,
                    effect.input_ns,
                )
                self.records.append(record)

    def _publish(
        self,
        component: Component,
        incarnation: int,
        topic: str,
        body: Any,
        now: Instant,
        decided: Instant,
        input_ns: int | None = None,
    ) -> tuple[FactRecord, Received]:
        numbering = self._numbers.setdefault((component, incarnation), Numbering())
        header = Header(
            component,
            Incarnation(incarnation),
            topic,
            numbering.next(topic),
            now.monotonic_ns,
            MonotonicNs(now.monotonic_ns if input_ns is None else input_ns),
            now.wall_ns,
            FACT_SCHEMA,
            (),
            decided,
        )
        frames = encode(header, body)
        received = decode(frames)
        assert isinstance(received, Received)
        return FactRecord(now.monotonic_ns, topic, frames[1], frames[2]), received
