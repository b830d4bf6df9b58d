"""Requests of a session: signed, recorded raw, answered or said to be silent.

Silent(Exception)       remote: nobody answered, or not in a form that can be read on
"""

from typing import Any, Protocol

import msgspec
import requests

from bus import clock
from ops.probe.transcript import Transcript
from shared.units import NS_PER_MS, NS_PER_S, MonotonicNs
from shared.venue.auth import Credentials, request_headers

CONNECT_S = 3.0
ANSWER_S = 10.0

RETRY_HEADER = "retry-after"
RATE_PREFIX = "poly-ratelimit"


class Silent(Exception):
    """A step could not be finished: the words say what was missing."""


class Reply(msgspec.Struct, frozen=True):
    """An answer as it came.

    Attributes:
        headers: Names in lower case.
        body: Decoded JSON; None where it is none.
        answered_ns: CLOCK_MONOTONIC when it was whole; sent_ns: before it was sent.
    """

    status: int
    headers: dict[str, str]
    text: str
    body: Any
    sent_ns: MonotonicNs
    answered_ns: MonotonicNs

    @property
    def took_ms(self) -> float:
        """Milliseconds from sending to the end of the answer."""
        return (self.answered_ns - self.sent_ns) / NS_PER_MS

    def rate_headers(self) -> dict[str, str]:
        """Return what the venue tells of its limits."""
        return {
            name: value
            for name, value in self.headers.items()
            if name.startswith(RATE_PREFIX) or name == RETRY_HEADER
        }


class Asks(Protocol):
    """What a step needs of it; tests have their own."""

    def ask(
        self,
        label: str,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        skew_s: int = 0,
        who: Credentials | None = None,
    ) -> Reply:
        """Ask with an API key."""
        ...

    def ask_openly(
        self, label: str, method: str, path: str, body: bytes = b"", *, url: str = ""
    ) -> Reply:
        """Ask without one."""
        ...


class Asker:
    """Asks one venue with one API key. Holds connections; not for threads.

    Attributes:
        transcript: Takes everything raw.
        replies: Every answer with its label, oldest first.
    """

    def __init__(self, clob_url: str, credentials: Credentials, transcript: Transcript) -> None:
        self._url = clob_url.rstrip("/")
        self._credentials = credentials
        self.transcript = transcript
        self._session = requests.Session()
        self._session.trust_env = False
        self.replies: list[tuple[str, Reply]] = []

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def ask(
        self,
        label: str,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        skew_s: int = 0,
        who: Credentials | None = None,
    ) -> Reply:
        """Ask with an API key.

        Args:
            label: Of the question, the same in every session.
            method: Upper case.
            path: With its query.
            body: Exactly the bytes sent.
            skew_s: Added to the timestamp that is signed.
            who: Another key than the session's own.

        Raises:
            Silent: Nobody answered.
        """
        timestamp_s = clock.read().wall_ns // NS_PER_S + skew_s
        headers = request_headers(who or self._credentials, timestamp_s, method, path, body)
        return self._send(label, method, self._url + path, headers, body)

    def ask_openly(
        self, label: str, method: str, path: str, body: bytes = b"", *, url: str = ""
    ) -> Reply:
        """Ask without any authentication; another host when one is named.

        Raises:
            Silent: Nobody answered.
        """
        return self._send(label, method, (url.rstrip("/") or self._url) + path, {}, body)

    def _send(
        self, label: str, method: str, url: str, headers: dict[str, str], body: bytes
    ) -> Reply:
        sent = dict(headers)
        if body:
            sent["Content-Type"] = "application/json"
        self.transcript.request(label, method, url, sent, body)
        sent_ns = clock.read().monotonic_ns
        try:
            answer = self._session.request(
                method,
                url,
                headers=sent,
                data=body or None,
                timeout=(CONNECT_S, ANSWER_S),
                allow_redirects=False,
            )
        except requests.RequestException as error:
            self.transcript.note(label, f"no answer: {type(error).__name__}")
            raise Silent(f"{label}: {type(error).__name__}") from None
        reply = Reply(
            status=answer.status_code,
            headers={name.lower(): value for name, value in answer.headers.items()},
            text=answer.text,
            body=_json(answer.text),
            sent_ns=sent_ns,
            answered_ns=clock.read().monotonic_ns,
        )
        self.transcript.response(label, reply.status, reply.headers, reply.text, reply.took_ms)
        self.replies.append((label, reply))
        return reply


def _json(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return None
