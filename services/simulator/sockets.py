"""WebSockets of all three kinds: frames in, frames out.

Impure. Each socket has a writer of its own, so that a slow reader delays nobody else.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from aiohttp import WSMsgType, web

from services.simulator.edge import (
    Close,
    StreamClosed,
    StreamKind,
    StreamOpened,
    StreamText,
)
from services.simulator.shell import Peer, Shell

FRAME_BYTES_MAX = 65_536
PRICE_PING_S = 25.0
"""The price socket pings, and closes on whoever does not answer.

Source: https://docs.polymarket.com/api-reference/wss/polybolt (2026-09-28).
"""


def stream_handler(
    shell: Shell, kind: StreamKind
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Return the handler of one kind of socket."""

    async def handle(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(
            compress=False,
            max_msg_size=FRAME_BYTES_MAX,
            timeout=1.0,
            heartbeat=PRICE_PING_S if kind == "price" else None,
        )
        await socket.prepare(request)
        transport = request.transport

        def cut() -> None:
            if transport is not None:
                transport.abort()

        number = shell.number()
        peer = Peer(cut)
        shell.attach(number, peer)
        writer = asyncio.create_task(_write(socket, peer))
        try:
            shell.feed(StreamOpened(number, kind))
            await _read(socket, shell, number)
        finally:
            shell.detach(number)
            shell.feed(StreamClosed(number))
            writer.cancel()
            with suppress(asyncio.CancelledError):
                await writer
        return socket

    return handle


async def _read(socket: web.WebSocketResponse, shell: Shell, number: int) -> None:
    async for message in socket:
        if message.type is WSMsgType.TEXT:
            shell.feed(StreamText(number, message.data))


async def _write(socket: web.WebSocketResponse, peer: Peer) -> None:
    """Send what waits, in order; a reader that is gone ends it."""
    with suppress(ConnectionError):
        while True:
            item = await peer.queue.get()
            if isinstance(item, Close):
                await socket.close(code=item.code, message=item.reason.encode())
                return
            await socket.send_str(item)
