"""The simulator's faults as the command speaks of them: its admin requests, on loopback alone.

`requests`, no retries, no proxy variables. What is no answer is `Refused`.
"""

from typing import Any

import msgspec
import requests

HOST = "127.0.0.1"
WITHIN_S = (1.0, 3.0)
"""To connect, and between two bytes of the answer."""

SHOWN_MAX = 300


class Refused(msgspec.Struct, frozen=True):
    """The simulator is not there, or does not take what was asked; the words are for people."""

    why: str


class VenueFaults:
    """The admin side of the simulator at one port. Holds a connection; not for threads."""

    def __init__(self, port: int) -> None:
        self._url = f"http://{HOST}:{port}/admin"
        self._session = requests.Session()
        self._session.trust_env = False

    def catalogue(self) -> list[dict[str, Any]] | Refused:
        """Return every entry of the catalogue."""
        return self._list("catalogue")

    def ls(self) -> list[dict[str, Any]] | Refused:
        """Return the faults that are on or will be."""
        return self._list("faults")

    def switch_on(self, wish: dict[str, object]) -> dict[str, Any] | Refused:
        """Switch an entry or a single fault on."""
        return self._object("POST", "faults", wish)

    def random(self, wish: dict[str, object]) -> dict[str, Any] | Refused:
        """Begin a storm."""
        return self._object("POST", "faults/random", wish)

    def switch_off(self, name: str) -> dict[str, Any] | Refused:
        """Switch one fault by its number, an entry by its name, or with `all` everything off."""
        if name == "all":
            return self._object("DELETE", "faults", None)
        return self._object(
            "DELETE", f"faults?id={name}" if name.isdigit() else f"faults?entry={name}", None
        )

    def _list(self, path: str) -> list[dict[str, Any]] | Refused:
        answer = self._ask("GET", path, None)
        if isinstance(answer, Refused):
            return answer
        return answer if isinstance(answer, list) else Refused(f"{path}: no list")

    def _object(
        self, method: str, path: str, wish: dict[str, object] | None
    ) -> dict[str, Any] | Refused:
        answer = self._ask(method, path, wish)
        if isinstance(answer, Refused):
            return answer
        return answer if isinstance(answer, dict) else Refused(f"{path}: no object")

    def _ask(self, method: str, path: str, wish: dict[str, object] | None) -> Any | Refused:
        body = None if wish is None else msgspec.json.encode(wish)
        try:
            answer = self._session.request(
                method, f"{self._url}/{path}", data=body, timeout=WITHIN_S, allow_redirects=False
            )
        except requests.RequestException as error:
            return Refused(f"the simulator does not answer at {self._url}: {type(error).__name__}")
        try:
            decoded = msgspec.json.decode(answer.content)
        except msgspec.DecodeError:
            return Refused(answer.text[:SHOWN_MAX])
        if answer.status_code != requests.codes.ok:
            text = decoded.get("error", "") if isinstance(decoded, dict) else ""
            return Refused(f"{text or answer.status_code}"[:SHOWN_MAX])
        return decoded
