"""KS-5: the venue does not want us, or not from here. Watches answers, execution, discovery.

Four kinds of evidence, each enough by itself: an answer to risk's own requests; the venue's word
on the account, asked for; what execution says that it was answered; a traded market that is
restricted while our address is blocked or close-only. Where the address stands is sometimes
unknown: that pauses and latches nothing.

Source: https://docs.polymarket.com/resources/error-codes and
https://docs.polymarket.com/api-reference/geoblock (2026-09-28).
"""

from collections.abc import Iterator

from services.risk.samples import ACCOUNT, Sample
from services.risk.source import Notice
from services.risk.standing_read import StandingRead
from shared.config import Config
from shared.control import Pong
from shared.effects import ControlReceived, Effect, HttpReply, Message, Received
from shared.facts import Calendar, MarketInfo, PlaceFact
from shared.identifiers import Incarnation
from shared.switches import PLACE_UNKNOWN, RESTRICTED
from shared.units import NS_PER_MS, NS_PER_S, BootNs, Instant
from shared.venue.modes import RESTRICTING_MODES, mode_of
from shared.venue.outcomes import Rejected, judge_refusal

ANSWER_HELD_NS = 10 * NS_PER_S
"""For so long an answer shows the condition: a halted risk asks for open orders each 5 s, so
that what still holds is answered anew, and what is over stands in no operator's way."""

OK = 200


class RestrictedSource:
    """What the venue has said of us, of our address and of our markets."""

    def __init__(self, config: Config) -> None:
        """Begin knowing nothing."""
        self._access = config.access
        self._standing = StandingRead(config.access.standing_every_ms)
        self._answered_ns: BootNs | None = None
        self._answer = ""
        self._told: tuple[Incarnation, int] | None = None
        self._place: PlaceFact | None = None
        self._markets: tuple[MarketInfo, ...] = ()

    def hear(self, message: Message, now: Instant) -> None:
        """Take in answers, pongs of execution, the calendar and the place."""
        match message:
            case HttpReply(status=status):
                self._standing.hear(message)
                if status != OK:
                    self._hear_answer(message, now)
            case ControlReceived(body=Pong() as pong):
                self._hear_execution(pong, now)
            case Received(body=PlaceFact() as place):
                self._place = place
            case Received(body=Calendar() as calendar):
                self._markets = calendar.markets
            case _:
                pass

    def data(self, now: Instant) -> Iterator[Sample | Notice | Effect]:
        """Yield what restricts us, whether we know where we stand, and the question that is due."""
        question = self._standing.ask(now)
        if question is not None:
            yield question
        closed = self._standing.closed_only is True
        yield Sample(RESTRICTED, "standing", ACCOUNT, closed, "the account may only close")
        held = self._answered_ns is not None and now.boot_ns < self._answered_ns + ANSWER_HELD_NS
        yield Sample(RESTRICTED, "answer", ACCOUNT, held, self._answer)
        market = self._restricted_market(now)
        verdict = "unknown" if self._place is None else self._place.verdict
        is_closed = verdict in ("blocked", "close_only")
        bad = market is not None and (is_closed or self._access.restricted_flag_alone)
        slug = "" if market is None else market.slug
        why = f"{slug} is restricted, and our place is {verdict}: {self._text()}"
        yield Sample(RESTRICTED, "place", ACCOUNT, bad, why)
        trouble = self._unknown(now) if market is not None else ""
        yield Sample(PLACE_UNKNOWN, "", ACCOUNT, bool(trouble), trouble)

    def _hear_answer(self, reply: HttpReply, now: Instant) -> None:
        """Take an answer other than 200 to a request of risk's own."""
        outcome = judge_refusal(reply.status, reply.body)
        if isinstance(outcome, Rejected) and mode_of(outcome) in RESTRICTING_MODES:
            self._answered_ns = now.boot_ns
            self._answer = f"risk was answered {outcome.reason.value}: {outcome.text}"

    def _hear_execution(self, pong: Pong, now: Instant) -> None:
        """Take a finding of execution once; it repeats the same until it is granted anew."""
        found = None if pong.execution is None else pong.execution.restricted
        if found is None or self._told == (pong.incarnation, found.number):
            return
        self._told = (pong.incarnation, found.number)
        self._answered_ns = now.boot_ns
        self._answer = f"execution was answered {found.text}"

    def _restricted_market(self, now: Instant) -> MarketInfo | None:
        """Return a market that is not over and that the venue restricts; None without any."""
        running = (market for market in self._markets if now.wall_ms < market.end_ms)
        return next((market for market in running if market.restricted), None)

    def _text(self) -> str:
        return "never told" if self._place is None else self._place.text

    def _unknown(self, now: Instant) -> str:
        """Return why we do not know where we stand; empty when we do."""
        place = self._place
        if place is None or place.asked_ns is None:
            return f"nobody has said whether our place is blocked: {self._text()}"
        if place.failures >= self._access.geoblock_failures_max:
            return f"{place.failures} questions about our place without an answer: {place.text}"
        age_ns = now.monotonic_ns - place.asked_ns
        if age_ns >= self._access.geoblock_stale_ms * NS_PER_MS:
            return f"the answer about our place is {age_ns // NS_PER_S} s old"
        return ""
