"""WebSockets of all kinds: frames in, frames out.

Impure. Each socket has a writer of its own, so that a slow reader delays nobody else.
"""

import asyncio
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress

from aiohttp import WSMsgType, web

from services.simulator.edge import (
    Close,
    Request,
    StreamClosed,
    StreamKind,
    StreamOpened,
    StreamText,
)
from services.simulator.shell import Cut, Peer, Shell
from shared.venue.prices_wire import CLOSE_SLOW

FRAME_BYTES_MAX = 65_536
PRICE_PING_S = 25.0
"""The price socket pings, and closes on whoever does not answer.

Source: https://docs.polymarket.com/api-reference/wss/polybolt (2026-09-28).
"""


PRICE_PINGS_MISSED_MAX = 2

TEXT_FINAL, LENGTH_16, LENGTH_64 = 0x81, 126, 127
"""Of a frame's head."""


def stream_handler(
    shell: Shell, kind: StreamKind, ping_s: float | None = None
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Return the handler of one kind of socket, which pings every so often, or never."""

    async def handle(request: web.Request) -> web.StreamResponse:
        refused = shell.refuse_handshake(
            Request(shell.number(), request.method, request.path, {}, {}, b"")
        )
        if refused is not None:
            return web.Response(
                status=refused.status,
                body=refused.body,
                headers=refused.headers,
                content_type=refused.content_type,
            )
        socket = web.WebSocketResponse(
            compress=False,
            max_msg_size=FRAME_BYTES_MAX,
            timeout=1.0,
            autoping=False,
        )
        await socket.prepare(request)
        transport = request.transport

        def cut() -> None:
            if transport is not None:
                transport.abort()

        number = shell.number()
        peer = Peer(cut)
        shell.attach(number, peer)
        pulse = Pulse()
        tasks = [asyncio.create_task(_write(socket, peer, transport))]
        if ping_s is not None:
            tasks.append(asyncio.create_task(_ping(socket, peer, pulse, ping_s)))
        try:
            shell.feed(StreamOpened(number, kind))
            await _read(socket, shell, number, pulse)
        finally:
            shell.detach(number)
            shell.feed(StreamClosed(number))
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
        return socket

    return handle


class Pulse:
    """How many pings in a row a client has left unanswered."""

    def __init__(self) -> None:
        self.missed = 0


async def _read(socket: web.WebSocketResponse, shell: Shell, number: int, pulse: Pulse) -> None:
    async for message in socket:
        match message.type:
            case WSMsgType.TEXT:
                shell.feed(StreamText(number, message.data))
            case WSMsgType.PING:
                with suppress(ConnectionError):
                    await socket.pong(message.data)
            case WSMsgType.PONG:
                pulse.missed = 0


async def _ping(socket: web.WebSocketResponse, peer: Peer, pulse: Pulse, every_s: float) -> None:
    """Ping, and end a socket that has left too many pings unanswered."""
    with suppress(ConnectionError):
        while True:
            await asyncio.sleep(every_s)
            if pulse.missed >= PRICE_PINGS_MISSED_MAX:
                peer.put(Close(0, CLOSE_SLOW, "pong timeout"))
                return
            pulse.missed += 1
            await socket.ping()


async def _write(
    socket: web.WebSocketResponse, peer: Peer, transport: asyncio.Transport | None
) -> None:
    """Send what waits, in order; a reader that is gone ends it."""
    with suppress(ConnectionError):
        while True:
            item = await peer.queue.get()
            if isinstance(item, Close):
                await socket.close(code=item.code, message=item.reason.encode())
                return
            if isinstance(item, Cut):
                await _stall(item.text, peer, transport)
            else:
                await socket.send_str(item)


async def _stall(text: str, peer: Peer, transport: asyncio.Transport | None) -> None:
    """Send half of a frame past its writer, and throw away whatever waits from then on."""
    if transport is not None:
        content = text.encode()
        whole = _head(len(content)) + content
        transport.write(whole[: len(whole) // 2])
    while not isinstance(await peer.queue.get(), Close):
        pass


def _head(length: int) -> bytes:
    """Return the head of a text frame, whole and unmasked. Source: RFC 6455, section 5.2."""
    if length < LENGTH_16:
        return struct.pack("!BB", TEXT_FINAL, length)
    if length < 1 << 16:
        return struct.pack("!BBH", TEXT_FINAL, LENGTH_16, length)
    return struct.pack("!BBQ", TEXT_FINAL, LENGTH_64, length)
