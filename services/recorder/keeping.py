"""When recordings are checked, archived and deleted, and what is said of it. Pure.

A pass is asked for at the start, in each new hour and when the disk begins to fill: it checks what
lies there and makes Parquet of hours that are over (CP-4, CP-5). It stands still while the host is
short of resources. On a full disk the oldest hours go, again and again until the disk says better.
"""

from datetime import UTC, datetime
from typing import Final

from services.recorder.orders import STOPPING_LEVELS, DiskLevel, Orders
from services.recorder.work import (
    CleanLogs,
    HoldKeeping,
    Keep,
    Kept,
    LogsCleaned,
    MakeRoom,
    RoomMade,
)
from shared.effects import Effect, Log
from shared.units import NS_PER_S, Instant

NS_PER_HOUR: Final = 3_600 * NS_PER_S

AGAIN_NS: Final = 5 * NS_PER_S
"""Between two rounds of making room: risk measures each second and says so once it is confirmed."""

SAID_NS: Final = 60 * NS_PER_S
"""Between two lines that say the same of a pass that fails."""


def hour_of(wall_ns: int) -> str:
    """Return the hour by which files are named, UTC."""
    return datetime.fromtimestamp(wall_ns // NS_PER_S, UTC).strftime("%Y-%m-%dT%H")


class Keeping:
    """The state of the recordings that are closed.

    Attributes:
        notice: What people should know; empty for nothing.
    """

    def __init__(self, full_percent: int, kept: int) -> None:
        """Know nothing; the first pass is due at once.

        Args:
            kept: How many backups are kept.
            full_percent: Use of the disk from which the oldest hours are deleted.
        """
        self._full_percent = full_percent
        self._kept = kept
        self._hour = ""
        self._due = False
        self._under_way = False
        self._held = False
        self._turn = 0
        self._level: DiskLevel = ""
        self._room_ns: int | None = None
        self._cleaned_ns: int | None = None
        self.notice = ""

    def on_tick(self, now: Instant, orders: Orders, file: str) -> list[Effect]:
        """Return what is due.

        Args:
            now: Present moment.
            orders: Risk's.
            file: Name of the file whose records are on the disk; empty for none. A new hour
                begins when its first file does: only then the one before is sealed.
        """
        effects = self._follow_disk(now, orders.disk)
        hour = hour_of(now.wall_ns)
        if hour != self._hour:
            self._hour = hour
            self._due = True
        if self._under_way and self._held != orders.unhurried:
            self._held = orders.unhurried
            effects.append(HoldKeeping(self._held))
        is_sealed = not file or file.startswith(hour)
        may_begin = is_sealed and not orders.unhurried and orders.disk not in STOPPING_LEVELS
        if self._due and not self._under_way and may_begin:
            self._due = False
            self._under_way = True
            self._held = False
            self._turn += 1
            effects.append(Keep(hour, file, self._turn, now.wall_ns, self._kept))
        return effects

    def on_message(self, message: Kept | RoomMade | LogsCleaned) -> list[Effect]:
        """Take what was done, and say it."""
        match message:
            case Kept():
                return self._on_kept(message)
            case RoomMade():
                return self._on_room(message)
            case LogsCleaned():
                return self._on_logs(message)

    def _on_kept(self, kept: Kept) -> list[Effect]:
        self._under_way = False
        found = kept.found
        said = [*(f"damaged: {one}" for one in found.damaged), found.problem]
        self.notice = "; ".join(text for text in said if text)
        fields: dict[str, object] = {
            "files": found.files,
            "archived": found.archived,
            "freed_bytes": found.freed_bytes,
            "backup": found.backup,
        }
        if not self.notice:
            return [Log("recorder.kept", fields)]
        return [Log("recorder.damaged", fields | {"notice": self.notice}, "error")]

    def _on_room(self, made: RoomMade) -> list[Effect]:
        if not made.deleted and not made.problem:
            return []
        fields: dict[str, object] = {
            "deleted": made.deleted,
            "freed_bytes": made.freed_bytes,
            "problem": made.problem,
        }
        return [Log("recorder.deleted", fields, "critical")]

    def _on_logs(self, cleaned: LogsCleaned) -> list[Effect]:
        if not cleaned.files:
            return []
        fields: dict[str, object] = {"files": cleaned.files, "freed_bytes": cleaned.freed_bytes}
        return [Log("recorder.logs_cleaned", fields, "warning")]

    def _follow_disk(self, now: Instant, level: DiskLevel) -> list[Effect]:
        effects: list[Effect] = []
        if level and not self._level:
            self._due = True  # what is closed is smaller as an archive
        self._level = level
        if level and _is_due(self._cleaned_ns, SAID_NS, now):
            self._cleaned_ns = now.monotonic_ns
            effects.append(CleanLogs())
        if level == "full" and _is_due(self._room_ns, AGAIN_NS, now):
            self._room_ns = now.monotonic_ns
            effects.append(MakeRoom(self._full_percent))
        return effects


def _is_due(last_ns: int | None, every_ns: int, now: Instant) -> bool:
    return last_ns is None or now.monotonic_ns - last_ns >= every_ns
