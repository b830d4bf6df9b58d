"""HTTP in, core's message out, and back: the only REST server of the simulator.

Impure. Loopback only, since the admin endpoints ask nobody who he is.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress

from aiohttp import web

from services.simulator.edge import Request, Respond
from services.simulator.shell import Shell
from services.simulator.sockets import PRICE_PING_S, stream_handler
from shared.perps.wire import PERP_STREAM_PATH

HOST = "127.0.0.1"
BODY_BYTES_MAX = 1_000_000
KEEP_ALIVE_S = 3_600
"""Clients keep warm connections; it is theirs to end them."""

SHUTDOWN_S = 0.2
MS_PER_S = 1_000

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def request_handler(shell: Shell) -> Handler:
    """Return the handler of every request that opens no socket."""

    async def handle(request: web.Request) -> web.StreamResponse:
        body = await request.read()
        number = shell.number()
        transport = request.transport

        def abort() -> None:
            if transport is not None:
                transport.abort()

        future = shell.expect(number, abort)
        try:
            shell.feed(
                Request(
                    request_id=number,
                    method=request.method,
                    path=request.path,
                    query=dict(request.query),
                    headers={name.upper(): value for name, value in request.headers.items()},
                    body=body,
                    repeated={
                        name: tuple(request.query.getall(name))
                        for name, count in Counter(request.query.keys()).items()
                        if count > 1
                    },
                )
            )
            return await _answer(request, await future)
        finally:
            shell.forget(number)

    return handle


async def _answer(request: web.Request, effect: Respond) -> web.StreamResponse:
    if not effect.drip_ms:
        return web.Response(
            status=effect.status,
            body=effect.body,
            headers=effect.headers,
            content_type=effect.content_type,
        )
    return await _drip(request, effect)


async def _drip(request: web.Request, effect: Respond) -> web.StreamResponse:
    """Send a body byte by byte, as long as the client waits for it."""
    response = web.StreamResponse(status=effect.status, headers=effect.headers)
    response.content_type = effect.content_type
    response.content_length = len(effect.body)
    with suppress(ConnectionError):
        await response.prepare(request)
        for place in range(len(effect.body)):
            await response.write(effect.body[place : place + 1])
            await asyncio.sleep(effect.drip_ms / MS_PER_S)
        await response.write_eof()
    return response


async def start(
    shell: Shell, port: int, price_ping_s: float = PRICE_PING_S
) -> tuple[web.AppRunner, int]:
    """Serve on loopback; return what to clean up, and the port, which 0 leaves to the system."""
    app = web.Application(client_max_size=BODY_BYTES_MAX)
    app.router.add_get("/ws/market", stream_handler(shell, "market"))
    app.router.add_get("/ws/user", stream_handler(shell, "user"))
    app.router.add_get("/ws", stream_handler(shell, "price", price_ping_s))
    app.router.add_get("/rtds", stream_handler(shell, "rtds"))
    app.router.add_get(PERP_STREAM_PATH, stream_handler(shell, "perp"))
    app.router.add_route("*", "/{tail:.*}", request_handler(shell))
    runner = web.AppRunner(
        app,
        access_log=None,
        handle_signals=False,
        handler_cancellation=True,
        keepalive_timeout=KEEP_ALIVE_S,
        shutdown_timeout=SHUTDOWN_S,
    )
    await runner.setup()
    site = web.TCPSite(runner, HOST, port, reuse_address=True)
    await site.start()
    bound = runner.addresses[0][1]
    assert isinstance(bound, int)
    return runner, bound


async def stop(runner: web.AppRunner) -> None:
    """Stop to serve, waiting for nobody for long."""
    await runner.cleanup()
    await asyncio.sleep(0)
