"""The simulated venue's log and its administration, as the benchmarks read and use them."""

import msgspec
import requests

from ops.bench.results import BenchFailed

LOG_ROWS = 5_000
ANSWER_S = 10.0
OPEN_STATUSES = frozenset({"LIVE", "DELAYED"})


class Row(msgspec.Struct, frozen=True):
    """What is read of a record of the venue's log; empty where a kind has no such member.

    Attributes:
        at_ns: The venue's CLOCK_MONOTONIC, which is this machine's.
    """

    n: int
    at_ns: int
    kind: str
    status: int | str = 0
    canceled: tuple[str, ...] = ()
    not_canceled: dict[str, str] = {}
    method: str = ""
    path: str = ""
    order_id: str = ""
    owner: str = ""


class Page(msgspec.Struct, frozen=True):
    """One answer of the log's page."""

    records: tuple[Row, ...]


PAGE = msgspec.json.Decoder(Page)


class VenueLog:
    """The venue's log, read on from where it was read last."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session = requests.Session()
        self._session.trust_env = False
        self._last = 0

    def read(self) -> list[Row]:
        """Return what is new."""
        rows: list[Row] = []
        while True:
            query = f"{self._url}/admin/log?since={self._last}&limit={LOG_ROWS}"
            fresh = PAGE.decode(self._session.get(query, timeout=ANSWER_S).content).records
            if not fresh:
                return rows
            rows += fresh
            self._last = fresh[-1].n

    def order(self, method: str, path: str, body: object) -> None:
        """Ask the venue's administration for something.

        Raises:
            BenchFailed: It refused.
        """
        answer = self._session.request(
            method, self._url + path, data=msgspec.json.encode(body), timeout=ANSWER_S
        )
        if answer.status_code != requests.codes.ok:
            raise BenchFailed(f"{method} {path}: {answer.status_code} {answer.text[:200]}")

    def close(self) -> None:
        """Close the connection."""
        self._session.close()
