"""The recorder's decisions: which file, when to flush, what to give up when the disk fails.

A file ends with its hour, or when it is full: what one damage or one reading costs is bounded.

Holds the records that are not on the disk yet, in bounded memory. When the disk does not
take them the oldest are dropped and counted, and a gap is recorded in their place. While risk says
that the disk is nearly full nothing is kept at all. Trading never waits for any of it.
"""

from collections import deque
from typing import Literal

from services.recorder.keeping import Keeping, hour_of
from services.recorder.orders import Orders, orders_in
from services.recorder.work import (
    AppendRecords,
    Checked,
    CloseSegment,
    Kept,
    LogsCleaned,
    OpenSegment,
    RoomMade,
    WriteFailed,
    Written,
)
from shared.config import Config
from shared.effects import (
    Effect,
    EnvelopeReceived,
    Exit,
    Gap,
    Log,
    Message,
    Paused,
    Publish,
    Stop,
)
from shared.facts import RecorderStatus
from shared.identifiers import Incarnation
from shared.recording import (
    MAGIC,
    NAME_SUFFIX,
    SCHEMA,
    GapRecord,
    Head,
    Record,
    Seal,
    fact_record,
    frame,
    gap_record,
)
from shared.units import NS_PER_MS, NS_PER_S, Instant, MonotonicNs

STATUS_EVERY_NS = NS_PER_S

BATCH_BYTES_MAX = 4 * 1024 * 1024
"""Written at once: small enough that one write does not take a second."""

REOPEN_NS = 5 * NS_PER_S
"""After a failed write, before a new file is tried."""

UNHURRIED = 10
"""Times as long in memory while risk says that the host is short of resources (CB-5)."""

STOP_NS_MAX = 3 * NS_PER_S
"""For the last flush; supervisord waits longer."""


class RecorderCore:
    """The whole process, pure.

    Attributes:
        messages: Facts recorded by this run.
        gaps: Gaps recorded by this run, own losses included.
    """

    def __init__(self, config: Config, incarnation: Incarnation) -> None:
        """Start without a file; the first fact opens one."""
        self._flush_ns = config.recorder.flush_ms * NS_PER_MS
        self._bytes_max = config.recorder.memory_mib_max * 1024 * 1024
        self._file_bytes_max = config.recorder.segment_mib_max * 1024 * 1024
        self._incarnation = incarnation
        self._keeping = Keeping(config.resources.disk_full_percent, config.recorder.backups_kept)
        self._written_file = ""
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._in_flight: tuple[int, tuple[bytes, ...]] | None = None
        self._dropped = 0
        self._dropped_for = "memory"
        self._orders = Orders()
        self._batch = 0
        self._file = ""
        self._records_in_file = 0
        self._bytes_in_file = 0
        self._file_count = 0
        self._oldest_ns: MonotonicNs | None = None
        self._retry_ns = MonotonicNs(0)
        self._next_status_ns = 0
        self._stopping_ns: MonotonicNs | None = None
        self._stop_cause = ""
        self._problem = ""
        self._notice = ""
        self.messages = 0
        self.gaps = 0
        self.bytes = 0

    def on_message(self, message: Message, now: Instant) -> list[Effect]:
        """Keep facts and gaps; note what the disk says."""
        match message:
            case EnvelopeReceived():
                self._orders = orders_in(message) or self._orders
                self.messages += 1
                self._keep(fact_record(message), now)
            case Gap():
                self.gaps += 1
                self._keep(gap_record(message, now.monotonic_ns), now)
            case Written(batch=batch):
                return self._on_written(batch)
            case WriteFailed():
                return self._on_failed(message, now)
            case Checked():
                return self._on_checked(message)
            case Kept() | RoomMade() | LogsCleaned():
                return self._keeping.on_message(message)
            case Stop(cause=cause):
                self._stopping_ns = now.monotonic_ns
                self._stop_cause = cause
            case Paused():
                pass  # the gaps that come with it are recorded
            case _:
                pass
        return []

    def on_tick(self, now: Instant) -> list[Effect]:
        """Flush what is due, report, and end when everything is written."""
        effects = self._flush(now)
        if now.monotonic_ns >= self._next_status_ns:
            self._next_status_ns = now.monotonic_ns + STATUS_EVERY_NS
            effects.append(Publish("recorder.status", self.status(), now.monotonic_ns))
        if self._stopping_ns is not None:
            return effects + self._end(self._stopping_ns, now)
        return effects + self._keeping.on_tick(now, self._orders, self._written_file)

    def status(self) -> RecorderStatus:
        """Return what the recorder says of itself."""
        state = "failing" if self._problem else "recording"
        if self._orders.stopped:
            state = "stopped"
        told = (self._problem, self._orders.stopped, self._notice, self._keeping.notice)
        reason = "; ".join(text for text in told if text)
        damage = "; ".join(text for text in (self._notice, self._keeping.notice) if text)
        return RecorderStatus(
            self._file, self.messages, self.bytes, self.gaps, state, reason, damage
        )

    def snapshot(self, now: Instant) -> list[Publish]:
        """Return the status for a reader that joins late."""
        return [Publish("recorder.status", self.status(), now.monotonic_ns)]

    def health(self) -> tuple[Literal["ready", "sick"], str]:
        """Return whether the disk takes the recording."""
        return ("sick", self._problem) if self._problem else ("ready", "")

    def _keep(self, record: Record, now: Instant) -> None:
        if self._orders.stopped:
            self._drop("disk")
            return
        content = frame(record)
        self._waiting.append(content)
        self._waiting_bytes += len(content)
        if self._oldest_ns is None:
            self._oldest_ns = now.monotonic_ns
        while self._waiting_bytes > self._bytes_max:
            self._waiting_bytes -= len(self._waiting.popleft())
            self._drop("memory")

    def _drop(self, why: str) -> None:
        self._dropped += 1
        self._dropped_for = why

    def _flush(self, now: Instant) -> list[Effect]:
        if self._in_flight is not None or not self._waiting or now.monotonic_ns < self._retry_ns:
            return []
        flush_ns = self._flush_ns * (UNHURRIED if self._orders.unhurried else 1)
        is_due = self._oldest_ns is not None and now.monotonic_ns - self._oldest_ns >= flush_ns
        is_urgent = self._waiting_bytes >= BATCH_BYTES_MAX or self._stopping_ns is not None
        if not (is_due or is_urgent):
            return []
        effects = self._open_segment(now)
        self._note_dropped(now)
        batch = self._take_batch()
        content = b"".join(batch)
        self._batch += 1
        self._in_flight = (self._batch, batch)
        self._records_in_file += len(batch)
        self._bytes_in_file += len(content)
        effects.append(AppendRecords(self._batch, content))
        return effects

    def _take_batch(self) -> tuple[bytes, ...]:
        taken: list[bytes] = []
        size = 0
        while self._waiting and (not taken or size + len(self._waiting[0]) <= BATCH_BYTES_MAX):
            content = self._waiting.popleft()
            size += len(content)
            taken.append(content)
        self._waiting_bytes -= size
        if not self._waiting:
            self._oldest_ns = None
        return tuple(taken)

    def _open_segment(self, now: Instant) -> list[Effect]:
        """Return the effect that begins a file, when hour, size or a failure asks for one."""
        prefix = f"{hour_of(now.wall_ns)}-{self._incarnation:016x}"
        if self._file.startswith(prefix) and self._bytes_in_file < self._file_bytes_max:
            return []
        seal = frame(Seal(self._records_in_file)) if self._file else b""
        # Files within one hour are numbered: nothing is overwritten.
        self._file = f"{prefix}-{self._file_count:04d}{NAME_SUFFIX}"
        self._file_count += 1
        head = Head(SCHEMA, self._incarnation, now.wall_ns, now.monotonic_ns)
        begin = MAGIC + frame(head)
        self._records_in_file = 1
        self._bytes_in_file = len(begin)
        return [OpenSegment(self._file, begin, seal)]

    def _note_dropped(self, now: Instant) -> None:
        """Put a gap where records had to be dropped for want of memory or of disk."""
        if not self._dropped:
            return
        record = GapRecord(now.monotonic_ns, "recorder", "", self._dropped, self._dropped_for)
        self.gaps += 1
        self._dropped = 0
        content = frame(record)
        self._waiting.appendleft(content)
        self._waiting_bytes += len(content)

    def _on_written(self, batch: int) -> list[Effect]:
        if self._in_flight is None or self._in_flight[0] != batch:
            return []
        self.bytes += sum(len(content) for content in self._in_flight[1])
        self._in_flight = None
        self._written_file = self._file
        if self._problem:
            self._problem = ""
            return [Log("recorder.recovered", {"file": self._file})]
        return []

    def _on_failed(self, failed: WriteFailed, now: Instant) -> list[Effect]:
        """Put the batch back, give the file up, and try a new one after a pause."""
        if self._in_flight is not None and self._in_flight[0] == failed.batch:
            for content in reversed(self._in_flight[1]):
                self._waiting.appendleft(content)
                self._waiting_bytes += len(content)
            self._oldest_ns = self._oldest_ns or now.monotonic_ns
            self._in_flight = None
        self._file = self._written_file = ""
        self._retry_ns = MonotonicNs(now.monotonic_ns + REOPEN_NS)
        is_new = not self._problem
        self._problem = failed.reason
        return [Log("recorder.failing", {"reason": failed.reason}, "error")] if is_new else []

    def _on_checked(self, checked: Checked) -> list[Effect]:
        if not checked.torn and not checked.problem:
            return [Log("recorder.checked", {"files": checked.files})]
        self._notice = checked.problem or f"torn: {', '.join(checked.torn)}"
        return [Log("recorder.torn", {"torn": checked.torn, "problem": checked.problem}, "error")]

    def _end(self, since_ns: MonotonicNs, now: Instant) -> list[Effect]:
        is_written = not self._waiting and self._in_flight is None
        if not is_written and now.monotonic_ns - since_ns < STOP_NS_MAX:
            return []
        reason = self._stop_cause if is_written else f"{self._stop_cause}, with records unwritten"
        effects: list[Effect] = []
        if self._file:
            effects.append(CloseSegment(frame(Seal(self._records_in_file))))
        return [*effects, Exit(0, reason)]
