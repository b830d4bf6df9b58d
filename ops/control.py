"""Asks risk over its control socket: one line there, one line back, with a deadline.

Source of the words: `shared/operator.py`. An answer that does not come is `Silent`, which is
neither yes nor no: the request may have been taken.
"""

import socket
from pathlib import Path

import msgspec

from bus import clock
from bus.endpoints import PathTooLong, operator_path
from shared.control import ScopeKind
from shared.facts import SwitchStatus
from shared.operator import (
    REQUEST_BYTES_MAX,
    LatchName,
    Reply,
    Request,
    decode_reply,
    encode_request,
)
from shared.switches import MARKET_CUTOFF, STRATEGY_DISABLED
from shared.units import NS_PER_S

CONNECT_S = 1.0
REPLY_BYTES_MAX = 1_000_000
"""A hundred switches and components with their reasons stay far below."""

SCOPES: tuple[ScopeKind, ...] = ("account", "asset", "market", "token", "strategy")


class Silent(msgspec.Struct, frozen=True):
    """Risk did not answer.

    Attributes:
        taken: Whether the request had been handed over, so that it may be carried out.
    """

    why: str
    taken: bool


class ScopeFault(ValueError):
    """The text names no scope."""


def parse_scope(text: str) -> tuple[ScopeKind, str]:
    """Return kind and id of `account`, `asset:btc`, `market:0x…`, `token:…`, `strategy:…`.

    Raises:
        ScopeFault: The text is none of these.
    """
    kind, _, identity = text.partition(":")
    for known in SCOPES:
        if kind == known and bool(identity) == (known != "account"):
            return known, identity
    raise ScopeFault(f"{text!r}: say account, or asset, market, token or strategy with `:` and id")


def ask(run_directory: Path, request: Request, within_s: float) -> Reply | Silent:
    """Send one request and wait for its answer, no longer than a total deadline."""
    line = encode_request(request) + b"\n"
    if len(line) > REQUEST_BYTES_MAX:
        return Silent("the request is too long", taken=False)
    deadline_ns = clock.read().boot_ns + int(within_s * NS_PER_S)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line_to_risk:
        try:
            line_to_risk.settimeout(CONNECT_S)
            line_to_risk.connect(operator_path(str(run_directory)))
            line_to_risk.sendall(line)
        except (OSError, PathTooLong) as error:
            return Silent(f"risk's control socket: {error}", taken=False)
        return _read(line_to_risk, deadline_ns)


def latches_in(
    switches: tuple[SwitchStatus, ...], kind: ScopeKind, identity: str
) -> tuple[LatchName, ...]:
    """Return the latches of a scope as they were seen; those of the account include all others.

    A market past its cutoff is left out: nobody may clear that. A strategy that was disabled is
    among those of its own scope alone: to go on after a halt is not to enable it.
    """
    return tuple(
        LatchName(row.name, known, row.scope_id, row.version)
        for row in switches
        for known in SCOPES
        if row.scope == known
        and row.kind == "latch"
        and row.name != MARKET_CUTOFF.name
        and (kind == "strategy" or row.name != STRATEGY_DISABLED.name)
        and (kind == "account" or (row.scope == kind and row.scope_id == identity))
    )


def _read(line_to_risk: socket.socket, deadline_ns: int) -> Reply | Silent:
    received = b""
    while b"\n" not in received:
        remaining_s = (deadline_ns - clock.read().boot_ns) / NS_PER_S
        if remaining_s <= 0 or len(received) > REPLY_BYTES_MAX:
            return Silent("risk did not answer in time; the request may stand", taken=True)
        try:
            line_to_risk.settimeout(remaining_s)
            piece = line_to_risk.recv(65_536)
        except TimeoutError:
            continue
        except OSError as error:
            return Silent(f"risk's control socket: {error}; the request may stand", taken=True)
        if not piece:
            return Silent("risk closed the line; the request may stand", taken=True)
        received += piece
    try:
        return decode_reply(received.partition(b"\n")[0])
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        return Silent(f"risk's answer cannot be understood: {error}", taken=True)
