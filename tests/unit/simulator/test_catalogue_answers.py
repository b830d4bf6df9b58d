"""Each answer of the catalogue to a post, as our own code understands it."""

import pytest

from shared.facts import Side
from shared.identifiers import OrderHash
from shared.venue.modes import VenueMode, read_mode
from shared.venue.outcomes import Rejected, Unknown, judge_post
from shared.venue.refusals import Doubt, Refusal
from shared.venue.wire import encode
from tests.builders.venue_rig import VenueRig

ANSWERS: tuple[tuple[str, Refusal | Doubt, VenueMode | None], ...] = (
    ("sell-after-buy", Refusal.BALANCE, None),
    ("balance-cache", Refusal.BALANCE, None),
    ("wrong-funder", Refusal.ALLOWANCE, None),
    ("adapter-allowance", Refusal.ALLOWANCE, None),
    ("maker-refused", Refusal.WALLET, None),
    ("wallet-not-deployed", Refusal.OWNER, None),
    ("foreign-key", Refusal.SIGNATURE, None),
    ("wrong-exchange", Refusal.SIGNATURE, None),
    ("addresses-drifted", Refusal.SIGNATURE, None),
    ("version-mismatch", Refusal.VERSION, None),
    ("fine-tick-amounts", Refusal.PRECISION, None),
    ("rounded-off-the-touch", Refusal.NOT_FILLED, None),
    ("float-amounts", Refusal.PAYLOAD, None),
    ("two-minimums", Refusal.MIN_VALUE, None),
    ("market-not-ready", Refusal.NOT_READY, None),
    ("rate-limited", Refusal.RATE_LIMITED, None),
    ("closed-only", Refusal.CLOSED_ONLY, VenueMode.CLOSED_ONLY),
    ("banned", Refusal.BANNED, VenueMode.RESTRICTED),
    ("edge-403", Refusal.RESTRICTED, VenueMode.RESTRICTED),
    ("region-403", Refusal.RESTRICTED, VenueMode.RESTRICTED),
    ("service-not-ready", Refusal.RESTARTING, VenueMode.RESTARTING),
    ("cancel-only", Refusal.CANCEL_ONLY_MODE, VenueMode.CANCEL_ONLY),
    ("trading-disabled", Refusal.DISABLED, VenueMode.DISABLED),
    ("order-timed-out", Refusal.TIMED_OUT, None),
    ("success-without-id", Doubt.AMBIGUOUS, None),
)


@pytest.mark.req("TST-9", "TST-1", "VEN-1")
@pytest.mark.parametrize(("name", "meaning", "mode"), ANSWERS, ids=[row[0] for row in ANSWERS])
def test_answer_is_understood(name: str, meaning: Refusal | Doubt, mode: VenueMode | None) -> None:
    rig = VenueRig()
    assert rig.ask("POST", "/admin/faults", encode({"entry": name}))[0] == 200
    side: Side = "SELL" if name == "sell-after-buy" else "BUY"
    post = rig.client.order(rig.market, side=side)
    answer = rig.answers[rig.send("POST", "/order", encode(post))]
    outcome = judge_post(answer.status, answer.body, OrderHash("0x" + "1" * 64))
    match outcome:
        case Rejected(reason=reason):
            assert reason is meaning
        case Unknown(why=why):
            assert why is meaning
        case _:
            pytest.fail(f"{outcome} is neither refused nor in doubt")
    headers = {key.lower(): value for key, value in answer.headers.items()}
    signal = read_mode(answer.status, headers, answer.body)
    assert (None if signal is None else signal.mode) is mode
    assert rig.open_ids() == []


def test_restart_is_followed_by_a_window_of_post_only_orders() -> None:
    rig = VenueRig()
    rig.ask("POST", "/admin/faults", encode({"entry": "restart"}))
    rig.advance(3)
    answer = rig.answers[rig.send("POST", "/order", encode(rig.client.order(rig.market)))]
    headers = {key.lower(): value for key, value in answer.headers.items()}
    signal = read_mode(answer.status, headers, answer.body)
    assert signal is not None
    assert (signal.mode, signal.retry_after_ms) == (VenueMode.POST_ONLY, 120_000)
    assert rig.post(rig.client.order(rig.market, post_only=True))[0] == 200
    rig.advance(120)
    assert rig.post(rig.client.order(rig.market))[0] == 200
