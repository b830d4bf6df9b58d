"""The time server's socket: SNTP on loopback, by the host's clock and a fault's offset.

Impure. The packets are made in `time_server.py`.
"""

import asyncio
from collections.abc import Callable
from typing import cast

from bus import clock
from services.simulator import time_server

HOST = "127.0.0.1"


class _Answers(asyncio.DatagramProtocol):
    def __init__(self, offset_ns: Callable[[], int | None]) -> None:
        self._offset_ns = offset_ns
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # The event loop's own class of this Python is no subclass of what it implements.
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        assert self._transport is not None
        offset_ns = self._offset_ns()
        if offset_ns is None:
            return
        received_ns = clock.read().wall_ns + offset_ns
        answer = time_server.answer(data, received_ns, clock.read().wall_ns + offset_ns)
        if answer is not None:
            self._transport.sendto(answer, addr)


async def start(
    port: int, offset_ns: Callable[[], int | None]
) -> tuple[asyncio.DatagramTransport, int]:
    """Serve time on loopback; return what to close, and the port, which 0 leaves to the system.

    Args:
        port: UDP port.
        offset_ns: Asked at each packet how far the time that is told is ahead; None: tell nothing.
    """
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(
        lambda: _Answers(offset_ns), local_addr=(HOST, port)
    )
    bound = transport.get_extra_info("sockname")[1]
    assert isinstance(bound, int)
    return transport, bound
