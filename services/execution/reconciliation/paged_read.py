"""One list of the venue, read page by page as one whole.

A whole list counts from the sending of its first page: what was there then and is there
still, it shows. A page that is lost is asked for again by itself, so that a long list needs no
luck; a list that cannot be read in its time says nothing, never an empty list (EX-22).

Pages are cut by place, not by row: what leaves a list moves all that stands behind it, past
the border of the next page. A list whose rows can leave (the open orders) is therefore shown
whole only when none of its earlier pages has lost a row until the last one was read; they are
looked at again, and a list that has moved is read anew. Trades never leave: a list of them
that grows repeats rows and hides none.
Source: cursors of https://docs.polymarket.com/api-reference (CLOB OpenAPI, 2026-09-28).
"""

from collections.abc import Callable, Hashable, Sequence
from typing import Final, Generic, TypeVar
from urllib.parse import quote

import msgspec

from services.execution.requests import Ask, Requests
from shared.effects import Effect, HttpReply
from shared.units import NS_PER_MS, NS_PER_S, BootNs, Instant
from shared.venue.account_wire import CURSOR_END, CURSOR_FIRST, Page

PAGES_MAX: Final = 200
"""20 000 rows: a full reconciliation's window of trades at the highest rate of orders. A list
that does not end says nothing."""

PAGE_TRIES_MAX: Final = 6
"""Of one page. With every sixth answer lost a page fails once in fifty thousand times, and a
list of thirty pages once in fifteen hundred; a venue that is away is told sooner or later."""

PASSES_MAX: Final = 3
"""Readings of a list that moved meanwhile, before its read says nothing."""

RETRY_NS: Final = 250 * NS_PER_MS
"""After a page, or a read, that said nothing; doubled by each further one of the same page."""

PAUSE_NS_MAX: Final = 2 * NS_PER_S

ASKED_PAUSE_NS_MAX: Final = 5 * NS_PER_S
"""No longer pause is kept though the venue asks for it: proofs of zero rest on reads, and one
question in five seconds burdens nobody."""

READ_NS_MAX: Final = 12 * NS_PER_S
"""From the first question of a read to its last; a full reconciliation begins anew after 20 s."""

Row = TypeVar("Row")


class Read(msgspec.Struct, Generic[Row], frozen=True):
    """One whole read.

    Attributes:
        sent_ns: When the first byte of its first page was written.
        rows: What the venue showed; None when nobody said.
        trouble: Why nobody said; empty when somebody did.
    """

    sent_ns: BootNs
    answered_ns: BootNs
    rows: tuple[Row, ...] | None
    trouble: str = ""


class PageTrouble(msgspec.Struct, frozen=True):
    """Why a page said nothing.

    Attributes:
        is_passing: Whether asking again may help.
        pause_ns: What the venue asks to wait; 0 when it does not say.
    """

    text: str
    is_passing: bool = True
    pause_ns: int = 0


class _Pass(Generic[Row]):
    """One reading of a list from its first page on.

    Attributes:
        sent_ns: When the first byte of its first page was written; 0 before it was answered.
        rows: What it has shown, by key; the newest word on each.
        pages: Keys of the rows of each page, by its cursor, in the order of reading.
        again: Cursors of the earlier pages that are still to be looked at again; None before
            the last page was read.
        seen_again: Keys that the earlier pages have shown since.
        has_moved: Whether a row was shown by two pages.
    """

    def __init__(self) -> None:
        """Begin with nothing read."""
        self.sent_ns = BootNs(0)
        self.rows: dict[Hashable, Row] = {}
        self.pages: dict[str, frozenset[Hashable]] = {}
        self.again: list[str] | None = None
        self.seen_again: set[Hashable] = set()
        self.has_moved = False

    def take(self, cursor: str, keys: Sequence[Hashable], rows: Sequence[Row]) -> None:
        """Take a page's rows."""
        is_repeated = any(key in self.rows for key in keys)
        self.rows.update(zip(keys, rows, strict=True))
        if self.again is not None:
            self.seen_again.update(keys)
            return
        # A row that is shown twice was moved on by one that came before it.
        self.has_moved = self.has_moved or is_repeated
        self.pages[cursor] = frozenset(keys)

    def is_whole(self) -> bool:
        """Whether no page but the last had lost a row when the last was read."""
        earlier = list(self.pages.values())[:-1]
        return not self.has_moved and all(keys <= self.seen_again for keys in earlier)


class PagedRead(Generic[Row]):
    """One list, one read at a time.

    Attributes:
        is_under_way: Whether a read has begun and not ended.
        is_waiting: Whether its next page is still to be asked for; nothing of it is under way.
        begun_ns: When the newest read began.
    """

    def __init__(
        self,
        ask: Ask,
        key: Callable[[Row], Hashable],
        requests: Requests,
        deadline_ms: int,
        *,
        can_shrink: bool,
    ) -> None:
        """Begin with no read under way.

        Args:
            ask: What every page asks.
            key: Names a row; of rows with one name the newest is shown.
            requests: Where questions are counted.
            deadline_ms: Of one page.
            can_shrink: Whether rows can leave the list.
        """
        self._ask = ask
        self._key = key
        self._requests = requests
        self._deadline_ms = deadline_ms
        self._can_shrink = can_shrink
        self._base_path = ""
        self._cursor = CURSOR_FIRST
        self._tries = 0
        self._passes = 0
        self._due_ns = BootNs(0)
        self._after_ns = BootNs(0)
        self.is_under_way = False
        self.is_waiting = False
        self.begun_ns = BootNs(0)
        self._pass: _Pass[Row] = _Pass()

    def may_begin(self, path: str, now: Instant) -> bool:
        """Whether a read of a path can be sent now."""
        is_free = not self.is_under_way and now.boot_ns >= self._after_ns
        return is_free and self._requests.may_read(path, now.boot_ns)

    def begin(self, base_path: str, now: Instant) -> list[Effect]:
        """Ask for the first page; `base_path` ends where the cursor goes."""
        assert not self.is_under_way, "one read at a time"
        self.is_under_way = True
        self.begun_ns = now.boot_ns
        self._base_path = base_path
        self._passes = 0
        self._pass = _Pass()
        return self._turn_to(CURSOR_FIRST, now)

    def tick(self, now: Instant) -> list[Effect]:
        """Ask for the page that waits, when it is due and there is room for it."""
        if not self.is_waiting or now.boot_ns < self._due_ns:
            return []
        return self._send(now)

    def give_up(self, pause_ns_max: int, now: Instant) -> None:
        """End a read that waits, for a newer one, which keeps its pause up to a longest one."""
        assert self.is_waiting, "an answer on its way would be taken for another read's"
        self._end()
        self._after_ns = BootNs(min(self._due_ns, now.boot_ns + pause_ns_max))

    def take_page(
        self, page: Page[object], rows: Sequence[Row], reply: HttpReply, now: Instant
    ) -> tuple[list[Effect], Read[Row] | None]:
        """Take a page's rows: ask for the next page, or end the read."""
        reading = self._pass
        reading.sent_ns = reading.sent_ns or reply.sent_ns
        reading.take(self._cursor, [self._key(row) for row in rows], rows)
        if reading.again is not None:
            return self._check(reading.again, now)
        if page.next_cursor == CURSOR_END:
            if not self._can_shrink:
                return [], self._end_well(now)
            reading.again = list(reading.pages)[:-1]
            return self._check(reading.again, now)
        is_endless = not page.next_cursor or page.next_cursor in reading.pages
        if is_endless or len(reading.pages) >= PAGES_MAX:
            return [], self._end_badly("the list does not end", 0, now)
        return self._go_on(page.next_cursor, now)

    def take_trouble(self, trouble: PageTrouble, now: Instant) -> Read[Row] | None:
        """Take a page that said nothing: wait for its repetition, or end the read."""
        self._tries += 1
        asked_ns = min(trouble.pause_ns, ASKED_PAUSE_NS_MAX)
        own_ns = min(RETRY_NS << (self._tries - 1), PAUSE_NS_MAX)
        self._due_ns = BootNs(now.boot_ns + max(asked_ns, own_ns))
        is_over = self._tries >= PAGE_TRIES_MAX or self._is_late_at(self._due_ns)
        if not trouble.is_passing or is_over:
            return self._end_badly(trouble.text, asked_ns, now)
        self.is_waiting = True
        return None

    def _check(self, cursors: list[str], now: Instant) -> tuple[list[Effect], Read[Row] | None]:
        """Look at the next of the earlier pages again, or judge what was seen of them."""
        if cursors and not self._pass.has_moved:
            return self._go_on(cursors.pop(0), now)
        if self._pass.is_whole():
            return [], self._end_well(now)
        self._passes += 1
        if self._passes >= PASSES_MAX:
            return [], self._end_badly("the list moves while it is read", 0, now)
        self._pass = _Pass()
        return self._go_on(CURSOR_FIRST, now)

    def _go_on(self, cursor: str, now: Instant) -> tuple[list[Effect], Read[Row] | None]:
        """Ask for a further page while there is time for it."""
        if self._is_late_at(now.boot_ns):
            return [], self._end_badly("the list is not read in time", 0, now)
        return self._turn_to(cursor, now), None

    def _turn_to(self, cursor: str, now: Instant) -> list[Effect]:
        self._cursor = cursor
        self._tries = 0
        return self._send(now)

    def _send(self, now: Instant) -> list[Effect]:
        """Ask for the page at the cursor, or wait until our share of the venue's limits lets it."""
        path = f"{self._base_path}next_cursor={quote(self._cursor, safe='=')}"
        self.is_waiting = not self._requests.may_read(path, now.boot_ns)
        if self.is_waiting:
            self._due_ns = BootNs(now.boot_ns + RETRY_NS)
            return []
        return [self._requests.read(self._ask, path, self._deadline_ms, now.boot_ns)]

    def _is_late_at(self, at_ns: BootNs) -> bool:
        return at_ns - self.begun_ns > READ_NS_MAX

    def _end_well(self, now: Instant) -> Read[Row]:
        read = Read(self._pass.sent_ns, now.boot_ns, tuple(self._pass.rows.values()))
        self._end()
        return read

    def _end_badly(self, trouble: str, pause_ns: int, now: Instant) -> Read[Row]:
        read: Read[Row] = Read(self._pass.sent_ns or now.boot_ns, now.boot_ns, None, trouble)
        self._end()
        self._after_ns = BootNs(now.boot_ns + max(RETRY_NS, pause_ns))
        return read

    def _end(self) -> None:
        self.is_under_way = self.is_waiting = False
        self._pass = _Pass()
