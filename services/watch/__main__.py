"""Shell of watch: supervisord's events on standard input, risk's sign of life in a file."""

import os
import select
import signal
import sys
from pathlib import Path

import msgspec

from bus import clock
from bus.settings import DATA_VARIABLE, RUN_VARIABLE
from services.watch.core import Action, Kill, RiskSign, WatchCore
from services.watch.events import ACKNOWLEDGED, READY, EventStream
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
                    actions += core.happened(event.name, event.fields.get("processname", ""))
                    _say(ACKNOWLEDGED + READY)
            actions += core.looked(read_sign(run / "risk.alive"), clock.read().monotonic_ns)
            for action in actions:
                carry_out(action, data)
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


def carry_out(action: Action, data: Path) -> None:
    """Kill, or tell."""
    if isinstance(action, Kill):
        kill_risk(action.pid)
        return
    line = {"wall_ns": clock.read().wall_ns, "component": "watch", **msgspec.to_builtins(action)}
    text = msgspec.json.encode(line) + b"\n"
    sys.stderr.buffer.write(text)
    sys.stderr.flush()
    path = data / ALERTS_FILE
    try:
        if path.exists() and path.stat().st_size > ALERTS_BYTES_MAX:
            path.rename(path.with_name(f"{path.name}.1"))
        with path.open("ab") as file:
            file.write(text)
    except OSError as error:
        sys.stderr.write(f"{path} takes no alert: {error}\n")


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
