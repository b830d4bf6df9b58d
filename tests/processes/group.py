"""A whole group under test: real supervisord, real processes, a run directory of its own."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bus import clock
from bus.locks import AlreadyRunning, FileLock
from ops.keys import read_key
from ops.launch import account_lock_path
from ops.observe import View, observe
from ops.trading import reasons_not_trading
from ops.waiting import wait_for
from shared.config import ComponentsSettings
from shared.topics import COMPONENTS, EXECUTION, RISK
from shared.units import NS_PER_S
from tests.architecture.tree import ROOT
from tests.processes.venue import VenueUnderTest
from tests.processes.wire_log import WireRecord

COMMAND_S = 180.0
TRADES_WITHIN_S = 120.0
ENDS_WITHIN_S = 20.0
KILLS_MAX = 5
"""A requote leaves the book empty for a hundredth of its time; five in a row is no chance."""

STRATEGY_TABLE = "[strategy.market_making]"
SIM = (
    (ROOT / "ops" / "sim.toml")
    .read_text(encoding="utf-8")
    .partition(STRATEGY_TABLE)[0]
    .replace("cutoff_ms = 10000", "cutoff_ms = 5000")
    .replace("[perp]\nenabled = true", "[perp]\nenabled = false")
)
"""The demonstration's profile without its wide quoting, which stands last, and with a later
cutoff: a test meets more orders with the defaults, and may add a table of its own. Perpetual
futures have a test of their own (`test_feeds_perps.py`), and idle in all others."""


KILLED_ON_PURPOSE = 1_000
"""Crashes of one component in a window that a test may cause without its being stopped."""

CALM_HOST = "[resources]\ncpu_percent_max = 100\n\n"
"""Nothing in a test depends on how busy its machine is."""


FREE_LOSSES = {
    "trade_percent_max = 10\n": (
        "trade_percent_max = 1000000\ndaily_percent_max = 1000000\n"
        "session_percent_max = 1000000\nloss_percent = 1000000\n"
    )
}
"""Changes of the profile for a group that judges something else and shall not end by a loss."""


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Ran:
    """What one command did."""

    def __init__(self, done: subprocess.CompletedProcess[str]) -> None:
        self.status = done.returncode
        self.out = done.stdout
        self.err = done.stderr

    @property
    def json(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)

    def __repr__(self) -> str:
        return f"status {self.status}\n{self.out}\n{self.err}"


def _place() -> str:
    """Return where groups live: in memory, unless a directory is named or there is none.

    A disk that many groups write to at once syncs a ledger's row in up to 0.4 s, which costs
    a lease (a fence of its own, safe). What other work does to a group is judged here; what a
    slow disk does is a judgement on the disk: `INTERLOCK_PLACE=/tmp make soak` asks for it.
    """
    named = os.environ.get("INTERLOCK_PLACE", "")
    memory = "/dev/shm"
    return named or (memory if os.access(memory, os.W_OK) else "/tmp")


PLACE = _place()


def long_window_s() -> int:
    """Return the length, ten to twenty minutes, whose running window ends last.

    Windows begin at multiples of their length: one that ends while a test looks takes orders out
    of the market, and a late one is decided.
    """
    now_s = clock.read().wall_ns // NS_PER_S
    return max(range(600, 1_200), key=lambda length_s: length_s - now_s % length_s)


class GroupUnderTest:
    """A group and the venue that it trades at.

    Attributes:
        directory: Short: an ipc path ends at 107 bytes.
        venue: Outside the group, so that it outlives it.
        environment: Added to that of every command, and so to that of all processes.
    """

    def __init__(
        self,
        *,
        interval_s: int | None = None,
        extra: str = "",
        seed: int = 1,
        restarts_max: int = KILLED_ON_PURPOSE,
        changes: Mapping[str, str] = types.MappingProxyType({}),
    ) -> None:
        """Prepare the profile: `extra` is appended to it, `changes` are replaced in it.

        A test kills on purpose; one that is about ends that are too many names `restarts_max`.
        Without a length of its own the group gets markets that have just begun and last long.
        """
        self.interval_s = interval_s or long_window_s()
        self.directory = Path(tempfile.mkdtemp(prefix="il", dir=PLACE))
        self.run = self.directory / "run"
        self.data = self.directory / "data"
        self.port = free_port()
        self.profile = self.directory / "profile.toml"
        text = SIM.replace("18080", str(self.port)).replace(
            "interval_s = 60", f"interval_s = {self.interval_s}"
        )
        self.page_port = free_port()
        page = f"[dashboard]\nport = {self.page_port}\n\n"
        page += "".join(
            f"[components.{name}]\nrestarts_max = {restarts_max}\n\n"
            for name in ComponentsSettings.__struct_fields__
        )
        page += CALM_HOST
        text = text.replace("[simulator]", f"{page}[simulator]\nenabled = false\nseed = {seed}")
        for former, text_now in changes.items():
            assert former in text, f"the profile has no {former!r}"
            text = text.replace(former, text_now)
        self.profile.write_text(text + extra, encoding="utf-8")
        self.environment: dict[str, str] = {}
        self.venue = VenueUnderTest(self.profile, self.directory, self.port)

    # --- commands -------------------------------------------------------------------

    def command(self, *words: str, run: Path | None = None, within_s: float = COMMAND_S) -> Ran:
        """Run `interlock` as an operator would."""
        known = {name: text for name, text in os.environ.items() if "INTERLOCK" not in name}
        done = subprocess.run(
            [
                *(sys.executable, "-m", "ops.cli", *words),
                *("--run-directory", str(run or self.run)),
            ],
            env=known | {"PYTHONPATH": str(ROOT)} | self.environment,
            cwd=self.directory,
            capture_output=True,
            text=True,
            timeout=within_s,
            check=False,
        )
        return Ran(done)

    def up(self, *words: str) -> Ran:
        """Start the group on its profile and data directory."""
        return self.command(
            *("up", "--profile", str(self.profile), "--data-directory", str(self.data), *words)
        )

    def wait_until_trading(self, within_s: float = TRADES_WITHIN_S) -> None:
        """Return when an order of ours rests at the venue and the group says so."""
        reasons: tuple[str, ...] = ()

        def look() -> bool | None:
            nonlocal reasons
            reasons = reasons_not_trading(self.view())
            missing = [name for name in COMPONENTS if not self.pid(name)]
            if reasons or missing:
                reasons += tuple(f"{name} does not run" for name in missing)
                return None
            return True if self.venue.open_orders().open else None

        assert wait_for(look, within_s), f"not trading: {reasons}\n{self.log_tails()}"

    def view(self) -> View:
        """Return what the group says of itself now."""
        return observe(self.run)

    def placed_within(self, since_ns: int, within_s: float) -> list[WireRecord]:
        """Return what was placed from a moment on, waiting for the first of it."""
        found = wait_for(lambda: self.venue.open_orders().placed_after(since_ns) or None, within_s)
        return found or []

    @property
    def address(self) -> str:
        """Wallet of the group's throwaway key."""
        return read_key(self.data / "key.hex").address

    # --- processes ------------------------------------------------------------------

    def pid(self, component: str) -> int:
        """Return the process that holds a component's lock, 0 for none."""
        path = self.run / ("group.lock" if component == "supervisord" else f"{component}.lock")
        if not path.exists():
            return 0
        try:
            FileLock(path, component).close()
        except AlreadyRunning as fault:
            return fault.pid
        return 0

    def signal(self, component: str, number: signal.Signals) -> int:
        """Send a signal and return the monotonic moment just before."""
        pid = self.pid(component)
        assert pid, f"{component} does not run"
        at_ns = clock.read().monotonic_ns
        os.kill(pid, number)
        return int(at_ns)

    def kill_at_once(self, *components: str) -> int:
        """Kill several processes before any can notice; return the monotonic moment before."""
        pids = [self.pid(component) for component in components]
        assert all(pids), "each of them runs"
        at_ns = clock.read().monotonic_ns
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        return int(at_ns)

    @contextlib.contextmanager
    def kill_while_orders_rest(self, *components: str) -> Iterator[int]:
        """Start, let it trade, kill, and hold other traders still meanwhile; gives the moment.

        Does so again when the moment fell between a cancel and its post.
        """
        for _ in range(KILLS_MAX):
            assert self.up().status == 0
            self.wait_until_trading()
            with self.venue.stillness():
                at_ns = self.kill_at_once(*components)
                if self.venue.open_orders().open:
                    yield at_ns
                    return
            self._wait_until_gone()
        raise AssertionError("no order rested at any of the kills")

    def _wait_until_gone(self) -> None:
        names = ("supervisord", *COMPONENTS)
        gone = wait_for(
            lambda: None if any(self.pid(name) for name in names) else True, ENDS_WITHIN_S
        )
        assert gone, "processes of a killed group end"

    def kill_everything(self) -> int:
        """Kill every process of the group, the powerful first; return the moment before."""
        others = [name for name in COMPONENTS if name not in (RISK, EXECUTION)]
        everybody = (RISK, EXECUTION, "supervisord", *others)
        # Who was killed before may be between two lives.
        wait_for(lambda: all(self.pid(name) for name in everybody) or None, TRADES_WITHIN_S)
        at_ns = self.kill_at_once(*everybody)
        self._wait_until_gone()
        return at_ns

    def log_tails(self, lines: int = 5) -> str:
        """Return the ends of all logs, for a failing test."""
        tails = []
        for path in sorted((self.run / "log").glob("*.log")):
            end = path.read_text(errors="replace").splitlines()[-lines:]
            tails.append(f"--- {path.name}\n" + "\n".join(line[:400] for line in end))
        return "\n".join(tails)

    def close(self) -> None:
        """Kill whatever of this group is left, each by its own process id."""
        for component in ("supervisord", *COMPONENTS, "watch"):
            pid = self.pid(component)
            if pid:
                os.kill(pid, signal.SIGKILL)
        wait_for(
            lambda: None if any(self.pid(name) for name in COMPONENTS) else True, ENDS_WITHIN_S
        )
        self.venue.close()
        key = self.data / "key.hex"
        if key.is_file():
            account_lock_path(self.address, f"http://127.0.0.1:{self.port}").unlink(missing_ok=True)
        shutil.rmtree(self.directory, ignore_errors=True)
