"""The price socket pings its clients, and ends one that leaves two pings unanswered."""

import asyncio

import pytest
from aiohttp import ClientSession, WSMsgType

from services.simulator import rest
from services.simulator.core import SimulatorCore
from services.simulator.shell import Shell
from shared.config import SimulatorSettings
from shared.venue.prices_wire import CLOSE_SLOW

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
