"""Questions to a node of the chain, as JSON-RPC: shapes only.

Source: https://ethereum.org/developers/docs/apis/json-rpc (2026-11-20).
"""

import msgspec


class RpcRequest(msgspec.Struct, frozen=True):
    """One question."""

    method: str
    params: tuple[object, ...]
    id: int = 1
    jsonrpc: str = "2.0"


class RpcFault(msgspec.Struct, frozen=True):
    """Why a node does not answer it."""

    code: int
    message: str


class RpcReply(msgspec.Struct, frozen=True):
    """Its answer: a result, which may be null, or a fault."""

    result: object = None
    error: RpcFault | None = None


RPC_REPLY = msgspec.json.Decoder(RpcReply)


def is_code(result: object) -> bool | None:
    """Tell whether code was found at an address, None when the answer is no bytes."""
    if not isinstance(result, str) or not result.startswith("0x"):
        return None
    return len(result) > len("0x")


def as_number(result: object) -> int | None:
    """Return a quantity, None when the answer is none."""
    if not isinstance(result, str) or not result.startswith("0x"):
        return None
    try:
        return int(result, 16)
    except ValueError:
        return None
