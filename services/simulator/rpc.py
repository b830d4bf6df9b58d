"""The few questions to a chain that the official client asks before it trades.

There is no chain: whoever trades here has approved everything, and everything else is refused as a
revert. Source: polymarket-client 0.14.0, JSON-RPC calls.
"""

import msgspec

from services.simulator.answers import Answer, error, ok
from services.simulator.edge import Request
from services.simulator.relayer_wire import CHAIN_ID
from shared.units import NS_PER_S, Instant
from shared.venue.faults import Malformed
from shared.venue.wire import decode

_BLOCK_S = 2
_YES = f"0x{1:064x}"
_MAX = f"0x{2**256 - 1:064x}"
_READS = {"0xdd62ed3e": _MAX, "0xe985e9c5": _YES}
"""Answers to `allowance(address,address)` and `isApprovedForAll(address,address)`."""

_REVERTED = {"code": 3, "message": "execution reverted"}
_NO_METHOD = {"code": -32601, "message": "the method is not simulated"}
_SELECTOR_CHARACTERS = 10
_BATCH_MAX = 100


class RpcCall(msgspec.Struct, frozen=True):
    """One JSON-RPC request."""

    id: int | str
    method: str
    params: list[object] = []


_CALLS = msgspec.json.Decoder(RpcCall | list[RpcCall])


def answer_rpc(request: Request, now: Instant) -> Answer:
    """Handle POST /rpc, one call or a batch of them."""
    try:
        calls = decode(_CALLS, request.body, "rpc")
    except Malformed:
        return error(400, "invalid payload")
    if isinstance(calls, RpcCall):
        return ok(_answer(calls, now))
    if len(calls) > _BATCH_MAX:
        return error(400, "batch is too large")
    return ok([_answer(call, now) for call in calls])


def _answer(call: RpcCall, now: Instant) -> dict[str, object]:
    now_s = now.wall_ns // NS_PER_S
    match call.method:
        case "eth_chainId":
            return _result(call, hex(CHAIN_ID))
        case "eth_blockNumber":
            return _result(call, hex(now_s // _BLOCK_S))
        case "eth_getBlockByNumber":
            stamp = now_s // _BLOCK_S * _BLOCK_S
            return _result(call, {"number": hex(now_s // _BLOCK_S), "timestamp": hex(stamp)})
        case "eth_call":
            read = _READS.get(_selector(call))
            return _result(call, read) if read else _failure(call, _REVERTED)
        case _:
            return _failure(call, _NO_METHOD)


def _selector(call: RpcCall) -> str:
    first = call.params[0] if call.params else None
    data = first.get("data") if isinstance(first, dict) else None
    return data[:_SELECTOR_CHARACTERS].lower() if isinstance(data, str) else ""


def _result(call: RpcCall, result: object) -> dict[str, object]:
    return {"jsonrpc": "2.0", "id": call.id, "result": result}


def _failure(call: RpcCall, fault: dict[str, object]) -> dict[str, object]:
    return {"jsonrpc": "2.0", "id": call.id, "error": fault}
