"""The simulated venue as a process of the test's own, outside the group, and its wire log.

It outlives whatever the test does to the group, and its stamps judge all times: they are
CLOCK_MONOTONIC of this host, as the test's own are.
"""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import requests

from ops.waiting import wait_for
from tests.architecture.tree import ROOT
from tests.processes.wire_log import OpenOrders, WireRecord

ANSWER_S = 5.0
SERVES_WITHIN_S = 30.0


class VenueUnderTest:
    """A running simulator.

    Attributes:
        url: Where it answers.
        records: Everything logged so far, as of the last `read`.
        seen_to_ns: Moment of the last `read`, by the venue's clock.
        answer_s: Longest wait for an answer to an admin request.
    """

    def __init__(self, profile: Path, directory: Path, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.records: list[WireRecord] = []
        self.seen_to_ns = 0
        self.answer_s = ANSWER_S
        self._next = 0
        self._session = requests.Session()
        self._session.trust_env = False
        self._output = (directory / "simulator.out").open("wb")
        variables = {
            "INTERLOCK_CONFIG": str(profile),
            "INTERLOCK_RUN": str(directory / "venue"),
            "INTERLOCK_DATA": str(directory / "venue"),
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "services.simulator"],
            env=os.environ | variables,
            cwd=ROOT,
            stdout=self._output,
            stderr=subprocess.STDOUT,
        )
        assert wait_for(self._serves, SERVES_WITHIN_S), "the simulator does not serve"

    def _serves(self) -> bool | None:
        assert self.process.poll() is None, "the simulator has ended"
        try:
            return True if self._session.get(f"{self.url}/ok", timeout=ANSWER_S).ok else None
        except requests.ConnectionError:
            return None

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Call one admin endpoint."""
        answer = self._session.request(method, self.url + path, json=body, timeout=self.answer_s)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()

    def read(self) -> list[WireRecord]:
        """Return the records since the last read, and keep them."""
        fresh: list[WireRecord] = []
        while True:
            page = self.ask("GET", f"/admin/log?since={self._next}")
            self.seen_to_ns = page["at_ns"]
            if not page["records"]:
                break
            fresh += page["records"]
            self._next = page["next"]
        self.records += fresh
        return fresh

    def open_orders(self, chosen: Callable[[WireRecord], bool] | None = None) -> OpenOrders:
        """Return clients' open orders, folded from the whole log."""
        self.read()
        orders = OpenOrders(chosen)
        orders.take(self.records)
        return orders

    def emptied_ns(self, since_ns: int) -> int | None:
        """Return when our book became empty for good, from a moment on; None while it has not."""
        return self.open_orders().emptied_ns(since_ns, self.seen_to_ns)

    def fault(self, **fields: Any) -> int:
        """Switch a fault on."""
        return int(self.ask("POST", "/admin/faults", fields)["id"])

    @contextlib.contextmanager
    def stillness(self) -> Iterator[None]:
        """Hold all other traders still, so that no order of ours goes by being filled."""
        self.ask("POST", "/admin/participants", {"paused": True})
        try:
            yield
        finally:
            self.ask("POST", "/admin/participants", {"paused": False})

    def clear_faults(self) -> None:
        """Switch all faults off."""
        self.ask("DELETE", "/admin/faults")

    def of_kind(self, *kinds: str) -> Iterable[WireRecord]:
        """Return the kept records of some kinds, in order."""
        return (record for record in self.records if record["kind"] in kinds)

    def close(self) -> None:
        """End it."""
        self._session.close()
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self._output.close()
