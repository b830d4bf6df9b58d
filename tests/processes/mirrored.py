"""A group in mode paper: real feeds from one simulator, its own simulator mirrors that one."""

import secrets
from pathlib import Path
from typing import Any

import requests

from bus.credentials import write_credentials
from bus.locks import make_private_directory
from ops.keys import Key
from ops.launch import account_lock_path
from ops.venue import Unanswered, Venue
from tests.architecture.tree import ROOT
from tests.processes.group import GroupUnderTest, free_port
from tests.processes.wire_log import OpenOrders, WireRecord

PAPER = (ROOT / "ops" / "paper.toml").read_text(encoding="utf-8")
POLYGON = 137
ANSWER_S = 5.0


class OwnVenue:
    """The group's own simulator, as far as a test looks at it: it is started by the group."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.records: list[WireRecord] = []
        self._next = 0
        self._session = requests.Session()
        self._session.trust_env = False

    def ask(self, method: str, path: str) -> Any:
        """Call one endpoint."""
        answer = self._session.request(method, self.url + path, timeout=ANSWER_S)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()

    def read(self) -> list[WireRecord]:
        """Return all records so far."""
        while True:
            page = self.ask("GET", f"/admin/log?since={self._next}")
            if not page["records"]:
                return self.records
            self.records += page["records"]
            self._next = page["next"]

    def open_orders(self) -> OpenOrders:
        """Return the group's open orders, folded from the whole log."""
        orders = OpenOrders()
        orders.take(self.read())
        return orders

    def of_kind(self, kind: str) -> list[WireRecord]:
        """Return the records of one kind."""
        return [record for record in self.read() if record["kind"] == kind]

    def close(self) -> None:
        """Leave it; it ends with its group."""
        self._session.close()


class PaperGroup(GroupUnderTest):
    """A paper group beside the simulator that stands for the real venue.

    Attributes:
        venue: Stands for the real one.
        own: The group's mirror of it.
    """

    def __init__(self, *, interval_s: int | None = None) -> None:
        super().__init__(interval_s=interval_s, seed=77, extra="frames_per_second = 50\n")
        self.own_port = free_port()
        self.profile = self.directory / "paper.toml"
        self.profile.write_text(self._text(self.interval_s), encoding="utf-8")
        self.own = OwnVenue(self.own_port)
        self._make_price_credentials(self.data / "price-credentials.json")

    def _text(self, interval_s: int) -> str:
        text = PAPER.replace("18081", str(self.own_port)).replace("18091", str(self.page_port))
        for name in ("clob", "gamma-api"):
            text = text.replace(f"https://{name}.polymarket.com", f"http://127.0.0.1:{self.port}")
        for name in ("ws-subscriptions-clob", "ws-live-v2"):
            text = text.replace(f"wss://{name}.polymarket.com", f"ws://127.0.0.1:{self.port}")
        text = text.replace("https://polymarket.com", f"http://127.0.0.1:{self.port}")
        text = text.replace("[venue]", '[venue]\nrestart_weekday = "never"')
        text += f'\n[clock]\nservers = ["127.0.0.1:{self.port}"]\n'
        return text.replace("interval_s = 300", f"interval_s = {interval_s}")

    def _make_price_credentials(self, path: Path) -> None:
        """Obtain what the price socket of the real venue asks for, as its account's owner would."""
        make_private_directory(self.data)
        venue = Venue(f"http://127.0.0.1:{self.port}")
        found = venue.obtain_key(Key(secrets.token_bytes(32)), POLYGON)
        venue.close()
        assert not isinstance(found, Unanswered), found.why
        write_credentials(path, found)

    def close(self) -> None:
        """Kill whatever is left."""
        self.own.close()
        if (self.data / "key.hex").is_file():
            lock = account_lock_path(self.address, f"http://127.0.0.1:{self.own_port}")
            lock.unlink(missing_ok=True)
        super().close()
