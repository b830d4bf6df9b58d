"""What visitors of risk's control socket send is what it is meant to be."""

import pytest

from ops.simulation.visitors import MALFORMED, MALFORMED_MODE, MODES, Visitors
from services.simulator.chance import Chance
from shared.effects import Message
from shared.operator import (
    Flatten,
    OperatorGone,
    OperatorRequest,
    RequestRefused,
    decode_request,
)


@pytest.mark.parametrize("line", MALFORMED, ids=range(len(MALFORMED)))
def test_malformed_line_is_no_request(line: bytes) -> None:
    assert isinstance(decode_request(line), RequestRefused)


def test_every_visitor_asks_on_a_connection_of_its_own() -> None:
    told: list[Message] = []

    def deliver(message: Message) -> bool:
        told.append(message)
        return True

    visitors = Visitors(Chance(1), deliver)
    for mode in MODES:
        visitors.ask(mode)
    asked = [message for message in told if isinstance(message, OperatorRequest)]
    assert len({one.connection for one in asked}) == len(MODES)
    for mode, one in zip(MODES, asked, strict=True):
        assert isinstance(decode_request(one.body), RequestRefused) == (mode == MALFORMED_MODE)
    assert isinstance(told[-1], OperatorGone)
    assert isinstance(decode_request(asked[-1].body), Flatten)
