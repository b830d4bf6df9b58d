"""The dashboard's real server in a test, and one client that asks it things."""

import http.client
import json
import socket
from typing import Any

import msgspec

from bus import clock
from ops.waiting import wait_for
from services.dashboard.messages import Serving, Show, Watched
from services.dashboard.server import ServerEdge
from shared.effects import Message
from shared.units import MonotonicNs

WAIT_S = 60.0
WRITE_S_MAX = 0.3


class Served:
    """A server, what it told its loop, and one client."""

    def __init__(self, port: int = 0) -> None:
        self.edge = ServerEdge(port, write_s_max=WRITE_S_MAX)
        self.told: list[Message] = []
        self.port = port

    def hear(self) -> list[Message]:
        self.told += self.edge.on_tick(clock.read())
        return self.told

    def wait_until_serving(self) -> None:
        def look() -> int | None:
            ports = [one.port for one in self.hear() if isinstance(one, Serving) and one.port]
            return ports[0] if ports else None

        found = wait_for(look, WAIT_S)
        assert found is not None, self.told
        self.port = found

    def show(self, show: Show, *, age_ns: int = 0) -> None:
        now = clock.read()
        fresh = msgspec.structs.replace(show, at_ns=MonotonicNs(now.monotonic_ns - age_ns))
        self.edge.apply(fresh, now)

    def get(self, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT_S)
        try:
            named = {name.replace("_", "-"): text for name, text in headers.items()}
            connection.request("GET", path, headers=named)
            answer = connection.getresponse()
            fields = {name.lower(): text for name, text in answer.getheaders()}
            return answer.status, fields, answer.read()
        finally:
            connection.close()

    def json(self, path: str) -> tuple[int, Any]:
        status, _, body = self.get(path)
        return status, json.loads(body)

    def listen(self, *, receive_bytes: int = 0) -> socket.socket:
        """Open the stream as a page does; with a small buffer, as one that does not read."""
        page = socket.socket()
        if receive_bytes:
            page.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        page.settimeout(WAIT_S)
        page.connect(("127.0.0.1", self.port))
        page.sendall(f"GET /stream HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n\r\n".encode())
        return page

    def pages(self) -> tuple[int, int] | None:
        seen = [one for one in self.hear() if isinstance(one, Watched)]
        return (seen[-1].pages, seen[-1].dropped) if seen else None
