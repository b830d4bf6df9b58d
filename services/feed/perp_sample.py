"""The second opinion about perpetual futures: what the venue answers when it is asked.

Asks for all contexts at once and for the book of each asset, every so often. What it says of an
answer stands under its own evidence: it never vouches for the socket, and readers compare the two.

Source: https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/rate-limits-and-user-limits
(2026-09): 1200 weights a minute and address, 20 for the contexts, 2 for a book.
"""

import msgspec

from services.feed.requests import READ_LANE
from shared.effects import Effect, HttpFailed, HttpReply, HttpRequest, Log
from shared.facts import PerpBook, PerpContext
from shared.identifiers import Asset
from shared.perps.parse import coin_of, perp_book, perp_context
from shared.perps.wire import (
    BOOK_CHANNEL,
    INFO_PATH,
    InfoRequest,
    PerpBookData,
    decode_contexts,
)
from shared.units import NS_PER_MS, NS_PER_S, BootNs, Instant, MonotonicNs
from shared.venue.faults import Malformed, WireFault
from shared.venue.wire import decode, encode

PAUSE_NS_MAX = 60 * NS_PER_S
"""After answers that refuse, each pause is twice the one before, up to this."""

OK = 200

_BOOK = msgspec.json.Decoder(PerpBookData | None)


class _Asked(msgspec.Struct, frozen=True):
    """One question under way; without an asset it is about the contexts of all."""

    asset: Asset | None
    asked_ns: MonotonicNs


class PerpSample:
    """The questions under way, and when the next are due."""

    def __init__(self, assets: tuple[Asset, ...], every_ms: int, deadline_ms: int) -> None:
        """Ask at the first look.

        Args:
            assets: Whose numbers.
            every_ms: From one round of questions to the next.
            deadline_ms: Of each question.
        """
        self._assets = assets
        self._every_ns = every_ms * NS_PER_MS
        self._deadline_ns = deadline_ms * NS_PER_MS
        self._pause_ns = self._every_ns
        self._is_refused = False
        self._due_ns = 0
        self._count = 0
        self._asked: dict[int, _Asked] = {}

    def on_tick(self, now: Instant) -> list[Effect]:
        """Ask when it is time and nothing is under way any more."""
        if self._asked or now.monotonic_ns < self._due_ns:
            return []
        if not self._is_refused:
            self._pause_ns = self._every_ns
        self._is_refused = False
        self._due_ns = now.monotonic_ns + self._pause_ns
        wanted: list[Asset | None] = [None, *self._assets]
        return [self._ask(asset, now) for asset in wanted]

    def on_failed(self, failed: HttpFailed) -> None:
        """Note that a question brought nothing."""
        self._asked.pop(failed.request_id, None)

    def on_reply(
        self, reply: HttpReply, now: Instant
    ) -> tuple[list[PerpContext | PerpBook], list[Effect]]:
        """Return what an answer tells, and what there is to say of it.

        Raises:
            WireFault: It cannot be understood; none of it may be believed.
        """
        asked = self._asked.pop(reply.request_id, None)
        if asked is None:
            return [], []
        if reply.status != OK:
            return [], self._wait(reply.status, now)
        if asked.asset is None:
            return list(self._contexts(reply.body, asked.asked_ns)), []
        book = decode(_BOOK, reply.body, "perp book")
        if book is None or book.coin != coin_of(asked.asset):
            raise Malformed("perp book", f"not the one of {asked.asset}")
        return [perp_book(asked.asset, book, "rest", asked.asked_ns)], []

    def _wait(self, status: int, now: Instant) -> list[Effect]:
        """Wait twice as long as before, once a round."""
        if self._is_refused:
            return []
        self._is_refused = True
        self._pause_ns = min(2 * self._pause_ns, max(PAUSE_NS_MAX, self._every_ns))
        self._due_ns = now.monotonic_ns + self._pause_ns
        fields = {"status": status, "pause_ms": self._pause_ns // NS_PER_MS}
        return [Log("perp.sample_refused", fields, "warning")]

    def _contexts(self, body: bytes, asked_ns: MonotonicNs) -> list[PerpContext]:
        known = decode_contexts(body)
        missing = [asset for asset in self._assets if coin_of(asset) not in known]
        if missing:
            raise WireFault(f"no context of {missing[0]}")
        return [
            perp_context(asset, known[coin_of(asset)], "rest", asked_ns) for asset in self._assets
        ]

    def _ask(self, asset: Asset | None, now: Instant) -> HttpRequest:
        self._count += 1
        self._asked[self._count] = _Asked(asset, now.monotonic_ns)
        wish = (
            InfoRequest("metaAndAssetCtxs")
            if asset is None
            else InfoRequest(BOOK_CHANNEL, coin_of(asset))
        )
        return HttpRequest(
            request_id=self._count,
            lane=READ_LANE,
            method="POST",
            path=INFO_PATH,
            body=encode(wish),
            deadline_ns=BootNs(now.boot_ns + self._deadline_ns),
            authenticated=False,
        )
