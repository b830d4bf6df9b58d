"""The simulated venue's real servers, in a thread of a test."""

import asyncio
import threading
from collections.abc import Callable

from services.simulator import rest
from services.simulator.shell import Shell

WAIT_S = 60.0


class VenueThread:
    """Serves what `make` makes, in its thread, on a free port from `start` to `stop`."""

    def __init__(self, make: Callable[[], Shell]) -> None:
        self.port = 0
        self._make = make
        self._stop = threading.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    def start(self) -> None:
        self._thread.start()
        assert self._ready.wait(WAIT_S)

    async def _serve(self) -> None:
        shell = self._make()
        shell.tick()
        runner, self.port = await rest.start(shell, 0)
        self._ready.set()
        await shell.run(self._stop.is_set)
        await rest.stop(runner)
        shell.close()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(WAIT_S)
        assert not self._thread.is_alive()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def socket_url(self, path: str) -> str:
        return f"ws://127.0.0.1:{self.port}{path}"
