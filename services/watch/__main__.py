"""Shell of watch: supervisord's events on standard input, risk's sign of life in a file."""

import os
import select
import signal
import sys
from pathlib import Path

import msgspec

from bus import clock
from bus.settings import DATA_VARIABLE, RUN_VARIABLE
from services.watch.core import RISK, Action, Kill, Note, RiskSign, Tell, WatchCore
from services.watch.events import ACKNOWLEDGED, READY, EventStream
from shared.program_events import EVENTS_BYTES_MAX, EVENTS_FILE, ProgramEvent, encode_event
from shared.risk_schema import ALERTS_FILE

LOOK_EVERY_S = 0.25
ALERTS_BYTES_MAX = 10 * 1024 * 1024
"""The alerts file is then put aside as `.1`, over the one before."""

STANDARD_INPUT = 0


def main() -> int:
    """Watch until supervisord closes the line; return the exit status."""
    run, data = Path(os.environ[RUN_VARIABLE]), Path(os.environ[DATA_VARIABLE])
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    core, stream = WatchCore(clock.read().monotonic_ns), EventStream()
    _say(READY)
    try:
        while True:
            ready, _, _ = select.select([STANDARD_INPUT], [], [], LOOK_EVERY_S)
            actions: list[Action] = []
            if ready:
                read = os.read(STANDARD_INPUT, 65_536)
                if not read:
                    return 0
                for event in stream.feed(read):
                    actions += core.happened(event.name, event.fields)
                    _say(ACKNOWLEDGED + READY)
            actions += core.looked(read_sign(run / "risk.alive"), clock.read().monotonic_ns)
            for action in actions:
                carry_out(action, run, data)
    except KeyboardInterrupt:
        return 0


def read_sign(path: Path) -> RiskSign | None:
    """Return risk's sign of life, None when no risk has left one."""
    try:
        with path.open("rb") as file:
            pid = file.read(20).strip()
            stamp_ns = os.fstat(file.fileno()).st_mtime_ns
    except OSError:
        return None
    return RiskSign(int(pid), stamp_ns) if pid.isdigit() else None


def carry_out(action: Action, run: Path, data: Path) -> None:
    """Kill, note an end for risk, or tell."""
    now = clock.read()
    if isinstance(action, Kill | Note):
        note = Note(RISK, "killed", action.pid, False) if isinstance(action, Kill) else action
        event = ProgramEvent(now.boot_ns, now.wall_ns, *msgspec.structs.astuple(note))
        _append(run / EVENTS_FILE, encode_event(event), EVENTS_BYTES_MAX)
    if isinstance(action, Kill):
        kill_risk(action.pid)
    if not isinstance(action, Tell):
        return
    line = {"wall_ns": now.wall_ns, "component": "watch", **msgspec.to_builtins(action)}
    text = msgspec.json.encode(line) + b"\n"
    sys.stderr.buffer.write(text)
    sys.stderr.flush()
    _append(data / ALERTS_FILE, text, ALERTS_BYTES_MAX)


def _append(path: Path, line: bytes, bytes_max: int) -> None:
    """Append a line, putting a file that is too long aside first."""
    try:
        if path.exists() and path.stat().st_size > bytes_max:
            path.rename(path.with_name(f"{path.name}.1"))
        with path.open("ab", buffering=0) as file:
            file.write(line)
    except OSError as error:
        sys.stderr.write(f"{path} takes no line: {error}\n")


def kill_risk(pid: int) -> None:
    """Send SIGKILL to the process if it is a risk of ours, and to no other."""
    try:
        held = os.pidfd_open(pid)
    except (ProcessLookupError, OverflowError, ValueError):
        return
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        if b"services.risk" in command:
            signal.pidfd_send_signal(held, signal.SIGKILL)
    except (FileNotFoundError, ProcessLookupError):
        return
    finally:
        os.close(held)


def _say(text: bytes) -> None:
    os.write(1, text)


if __name__ == "__main__":
    sys.exit(main())
