"""The price socket: its pings, what it does to who answers none, and refused handshakes."""

import asyncio

import pytest
from aiohttp import ClientSession, WSMsgType

from services.simulator import rest
from services.simulator.core import SimulatorCore
from services.simulator.shell import Shell
from shared.config import SimulatorSettings
from shared.venue.prices_wire import CLOSE_SLOW
from tests.builders.simulator_server import SimulatorServer, serving

PING_S = 0.05


@pytest.mark.req("VEN-5")
def test_socket_that_answers_no_ping_is_closed_as_too_slow() -> None:
    async def listen(*, answers: bool) -> tuple[int, int | None]:
        shell = Shell(SimulatorCore(SimulatorSettings(), ("btc",), 14_400), None)
        shell.tick()
        runner, port = await rest.start(shell, 0, PING_S)
        pings = 0
        async with ClientSession() as session, asyncio.timeout(10):
            url = f"ws://127.0.0.1:{port}/ws"
            async with session.ws_connect(url, autoping=False) as socket:
                while pings < 6:
                    message = await socket.receive()
                    if message.type is not WSMsgType.PING:
                        break
                    pings += 1
                    if answers:
                        await socket.pong(message.data)
                code = socket.close_code
        await rest.stop(runner)
        return pings, code

    assert asyncio.run(listen(answers=False)) == (2, CLOSE_SLOW)
    assert asyncio.run(listen(answers=True)) == (6, None)


@pytest.mark.req("VEN-5")
def test_handshake_may_be_refused_for_a_while() -> None:
    with serving() as server:
        server.fault(kind="refuse", path="/ws", status=503, retry_after_s=7, count=1)

        async def ask() -> tuple[int, str | None]:
            handshake = {
                "Connection": "Upgrade",
                "Upgrade": "websocket",
                "Sec-WebSocket-Version": "13",
                "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
            }
            async with (
                asyncio.timeout(10),
                ClientSession() as session,
                session.get(server.url + "/ws", headers=handshake) as response,
            ):
                return response.status, response.headers.get("Retry-After")

        assert asyncio.run(ask()) == (503, "7")
        assert asyncio.run(ask()) == (101, None)


def test_frame_of_more_than_64_kib_ends_the_socket() -> None:
    async def say(server: SimulatorServer, size: int) -> WSMsgType:
        async with (
            asyncio.timeout(10),
            ClientSession() as session,
            session.ws_connect(server.socket_url("/ws")) as socket,
        ):
            await socket.send_str("x" * size)
            return (await socket.receive()).type

    with serving() as server:
        assert asyncio.run(say(server, 65_000)) is WSMsgType.TEXT
        assert asyncio.run(say(server, 66_000)) is WSMsgType.CLOSE
