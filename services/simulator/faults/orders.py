"""Which faults there are, and how somebody asks for one.

A fault names whom it meets: requests by method, path, query and body, frames by stream,
asset and event; empty means all.

Kinds for requests:
    delay_request    taken in later, and answered then
    delay_reply      taken in at once, answered later
    lose_request     never taken in, never answered
    reset_request    never taken in, the connection is reset
    lose_reply       taken in, never answered
    reset_reply      taken in, then the connection is reset
    refuse           answered with `status` and `text` without being taken in; by the path of a
                     socket (`/ws`), its handshake is
Kinds for answers to requests that were taken in:
    replace_reply    `status` and `text` instead of the true answer
    truncate_reply   cut in the middle, as if the rest had been lost before the edge
    drip_reply       sent byte by byte, `delay_ms` between two
    bare_list        a page without its envelope: the rows alone
    cap_list         lists end after `rows` rows, and say so to nobody
    hide_ended       a single order that has ended is `null`
    lag_book         books as they were up to `delay_ms` ago
    quirk_posts      an order was taken, and the answer is odd in the way that `text` names:
                     `noted` (a success with an error message), `nameless` (without its id),
                     `delayed`, `unmatched`, `short` (the last entry is missing), `word` (no object)
Kinds for streams:
    silence          nothing but PONG is sent; of stream `time`: the time server is silent
    mute             nothing at all is sent
    lose_frames      single frames are left out
    double_frames    single frames are sent twice
    delay_frames     single frames are sent `delay_ms` late, after what came later
    cut_frames       half of a frame is sent, and then nothing at all on its socket
    refuse_stream    new connections are closed at once
    drop_streams     open connections are reset, once a strike: name a count
    stamp_seconds    milliseconds become seconds
    text_bucket      `bucket_index` is a string
    prose_status     an order's end tells in prose, with empty members
    update_canceled  an order's end comes as UPDATE with status CANCELED
    loose_fields     of own orders and trades sizes are missing, sides and ids in other letters, and
                     what nobody should read is null or of another type
    garble_own       own orders and trades have a price that is none
    other_end        of a trade's ends CONFIRMED and FAILED the other one is told
    lie_touch        best bid and ask of a change are wrong
    lie_level        sizes of a change are wrong
    corrupt_hash     books' hashes are wrong
    cross_book       books and changes hold a bid at 0.99 and an ask at 0.01
    empty_side       books and changes have no bids
    repeat_tick      a tick size change from a tick to itself follows a change
    garble_frames    frames end in their middle, and are no JSON
    shift_stamps     prices are stamped `delay_ms` later, or earlier below zero
    freeze_price     a source repeats the price that it told when the fault began, with new stamps
    drop_prices      ticks of the price socket are dropped, and the next frame tells how many
    refuse_auth      the price socket answers `auth` with the error `text`, as `auth_unavailable`
Kinds of the venue as a whole:
    restarting, post_only, cancel_only, disabled   trading modes
    fail_settlement  trades end FAILED
    fail_winners     trades end FAILED if the price has moved for one of our keys meanwhile
    retry_settlement trades are RETRYING before they go on
    hold_broadcast   trades are MATCHED_NOT_BROADCASTED before they go on
    undo_settlement  trades that are CONFIRMED end FAILED after all, where both sides can give back
    drain_orders     another session of the key spends `rows` tokens before each of its orders
    drain_cancels    likewise before each of its cancels
    slow_settlement  trades wait `delay_ms` more before they are mined
    fight_beats      another session of the key beats in between
    delay_match      a marketable order is answered `delayed`, and judged `delay_ms` later
    move_price       the price socket tells prices `percent` higher, of the source `event` alone;
                     of perpetual futures `perp` is the socket, `perp_rest` the answers, and
                     `perp_index` the index of spot prices in both
    scale_perp       perpetual futures have `event` (`interest`, `funding`, `depth`, `volume`)
                     `percent` higher, on the stream `perp` or `perp_rest` alone
    negate_interest  their open interest is below zero, on the stream likewise
    shift_clock      `/time` and the time server are `delay_ms` ahead, or behind below zero
"""

from typing import Annotated, Literal, get_args

import msgspec
from msgspec import Meta

RequestFaultKind = Literal[
    "delay_request",
    "delay_reply",
    "lose_request",
    "reset_request",
    "lose_reply",
    "reset_reply",
    "refuse",
]
ReplyFaultKind = Literal[
    "replace_reply",
    "truncate_reply",
    "drip_reply",
    "bare_list",
    "cap_list",
    "hide_ended",
    "lag_book",
    "quirk_posts",
]
FrameFaultKind = Literal[
    "mute",
    "lose_frames",
    "double_frames",
    "delay_frames",
    "cut_frames",
    "stamp_seconds",
    "text_bucket",
    "prose_status",
    "update_canceled",
    "loose_fields",
    "garble_own",
    "other_end",
    "lie_touch",
    "lie_level",
    "corrupt_hash",
    "cross_book",
    "empty_side",
    "repeat_tick",
    "garble_frames",
    "shift_stamps",
    "freeze_price",
]
StreamFaultKind = Literal["silence", "refuse_stream", "drop_streams", "drop_prices", "refuse_auth"]
ModeKind = Literal["restarting", "disabled", "cancel_only", "post_only"]
"""The strictest first: of several that are on it is the one that counts."""
VenueFaultKind = Literal[
    "fail_settlement",
    "fail_winners",
    "retry_settlement",
    "hold_broadcast",
    "undo_settlement",
    "slow_settlement",
    "drain_orders",
    "drain_cancels",
    "fight_beats",
    "delay_match",
    "shift_clock",
    "move_price",
    "scale_perp",
    "negate_interest",
]
FaultKind = (
    RequestFaultKind | ReplyFaultKind | FrameFaultKind | StreamFaultKind | ModeKind | VenueFaultKind
)

REQUEST_KINDS: tuple[str, ...] = (*get_args(RequestFaultKind), *get_args(ReplyFaultKind))
REPLY_KINDS: tuple[str, ...] = get_args(ReplyFaultKind)
FRAME_KINDS: tuple[str, ...] = get_args(FrameFaultKind)
MODES: tuple[ModeKind, ...] = get_args(ModeKind)

SPAN_MS_MAX = 86_400_000
"""A day: longer is for ever."""

_Ms = Annotated[int, Meta(ge=0, le=SPAN_MS_MAX)]


class FaultOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `POST /admin/faults` asks for.

    Attributes:
        method: Of the requests that it meets; empty for all.
        path: Prefix of their path; empty for all.
        query: `name=value` that their query must hold; empty for all.
        body: Text that their body must hold; empty for all.
        stream: `market`, `user`, `price` or another kind of socket; empty for all.
        asset: Asset, token id or condition id of the frames that it meets; empty for all.
        event: Type of those frames: `event_type`, `type` or `status` of them, `dump` for the
            array that answers a subscription; empty for all.
        probability: 0..1.
        count: How often it strikes; None without end.
        duration_ms: How long it is on; None without end.
        after_ms: How long until it is on.
        every_ms: It is on again every so often, each time for `duration_ms`; None for once.
        delay_ms: Of the kinds that name it.
        rows: Of `cap_list`, and tokens of a drain.
        status, text, retry_after_s: Of `refuse` and `replace_reply`; text that begins with `<` is
            sent as HTML, text that is JSON as it is, any other within the error envelope.
            The text of `quirk_posts` names which.
    """

    kind: FaultKind
    method: str = ""
    path: str = ""
    query: str = ""
    body: str = ""
    stream: str = ""
    asset: str = ""
    event: str = ""
    probability: Annotated[float, Meta(ge=0.0, le=1.0)] = 1.0
    count: Annotated[int, Meta(ge=1)] | None = None
    duration_ms: _Ms | None = None
    after_ms: _Ms = 0
    every_ms: Annotated[int, Meta(ge=1, le=SPAN_MS_MAX)] | None = None
    delay_ms: Annotated[int, Meta(ge=-SPAN_MS_MAX, le=SPAN_MS_MAX)] = 0
    rows: Annotated[int, Meta(ge=0)] = 100
    percent: Annotated[int, Meta(ge=-99, le=10_000)] = 0
    status: Annotated[int, Meta(ge=200, le=599)] = 400
    text: str = "could not insert order"
    retry_after_s: Annotated[int, Meta(ge=0)] | None = None
