"""KS-5 at the gate, by discovery's word: may this market be traded from where we are.

A market without the venue's flag `restricted` may be. One with it needs an answer about our
address that is young enough and says open. Holds no state.

Source: https://docs.polymarket.com/api-reference/geoblock (2026-09-28).
"""

from services.execution.gate import Predicate
from shared.config import AccessSettings
from shared.facts import MarketInfo, PlaceFact
from shared.units import NS_PER_MS, Instant


def access_predicates(
    info: MarketInfo | None, place: PlaceFact | None, access: AccessSettings, now: Instant
) -> tuple[Predicate, ...]:
    """Return what must hold for an order in a market, as far as the venue restricts it.

    A place that is not open drives orders out; one that is not known only keeps new ones out,
    and risk pauses the account.
    """
    if info is None or not info.restricted:
        return ()
    asked_ns = None if place is None else place.asked_ns
    age_ns = None if asked_ns is None else now.monotonic_ns - asked_ns
    verdict = "unknown" if place is None else place.verdict
    is_open = verdict in ("open", "unknown") and not access.restricted_flag_alone
    is_known = (
        place is not None
        and age_ns is not None
        and age_ns < access.geoblock_stale_ms * NS_PER_MS
        and place.failures < access.geoblock_failures_max
    )
    text = "never told" if place is None else place.text
    return (
        Predicate("restricted", is_open, True, f"{verdict}: {text}", age_ns),
        Predicate("place_known", is_known, False, text, age_ns),
    )
