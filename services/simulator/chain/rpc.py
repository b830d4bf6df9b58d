"""The few questions to a chain that are asked before trading, and approvals of plain keys.

There is no chain: balances and allowances are those of the simulator's accounts, code stands
at the contracts that trading needs and at wallets that are deployed, and a transaction may
approve and nothing else. Everything else is refused as a revert. Source: polymarket-client
0.14.0, JSON-RPC calls.
"""

import re
from collections.abc import Callable

import msgspec

from services.simulator.accounts import Accounts
from services.simulator.answers import Answer, error, ok
from services.simulator.chain.mempool import GAS_PRICE, Mempool, Refused
from services.simulator.chain.wire import CHAIN_ID
from services.simulator.discovery.rows import Row
from services.simulator.edge import Request
from shared.units import NS_PER_S, Instant
from shared.venue.approvals import ALLOWANCE, IS_APPROVED_FOR_ALL
from shared.venue.balances import BALANCE_OF
from shared.venue.contracts import TRADED
from shared.venue.faults import Malformed
from shared.venue.wire import decode

_BLOCK_S = 2
_GAS = 60_000
_CODE = "0x60806040"
_REVERTED = {"code": 3, "message": "execution reverted"}
_NO_METHOD = {"code": -32601, "message": "the method is not simulated"}
_READ = re.compile(
    rf"({ALLOWANCE}|{IS_APPROVED_FOR_ALL})0{{24}}([0-9a-f]{{40}})0{{24}}([0-9a-f]{{40}})"
)
_BALANCE = re.compile(rf"{BALANCE_OF}0{{24}}([0-9a-f]{{40}})([0-9a-f]{{64}})")
_BATCH_MAX = 100
_CONTRACTS = frozenset(address.lower() for address, _ in TRADED)


class RpcCall(msgspec.Struct, frozen=True):
    """One JSON-RPC request."""

    id: int | str
    method: str
    params: list[object] = []


_CALLS = msgspec.json.Decoder(RpcCall | list[RpcCall])


class Rpc:
    """Handles POST /rpc."""

    def __init__(self, accounts: Accounts, mempool: Mempool, stands: Callable[[str], bool]) -> None:
        """Set whose allowances are read, who takes transactions, and which wallets stand."""
        self._accounts = accounts
        self._mempool = mempool
        self._stands = stands

    def answer(self, request: Request, now: Instant) -> Answer:
        """Answer one call or a batch of them."""
        try:
            calls = decode(_CALLS, request.body, "rpc")
        except Malformed:
            return error(400, "invalid payload")
        if isinstance(calls, RpcCall):
            return ok(self._answer(calls, now))
        if len(calls) > _BATCH_MAX:
            return error(400, "batch is too large")
        return ok([self._answer(call, now) for call in calls])

    def _answer(self, call: RpcCall, now: Instant) -> Row:
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
                self._mempool.mine(now)
                word = self._read(_data(call))
                return _failure(call, _REVERTED) if word is None else _result(call, word)
            case "eth_getCode":
                return _result(call, _CODE if self._has_code(_text(call)) else "0x")
            case _:
                return self._transact(call, now)

    def _transact(self, call: RpcCall, now: Instant) -> Row:
        """Answer what is asked around a transaction of a plain key."""
        match call.method:
            case "eth_gasPrice":
                return _result(call, hex(GAS_PRICE))
            case "eth_estimateGas":
                return _result(call, hex(_GAS))
            case "eth_getTransactionCount":
                return _result(call, hex(self._mempool.count(_text(call))))
            case "eth_sendRawTransaction":
                try:
                    return _result(call, self._mempool.send(_text(call), now))
                except Refused as fault:
                    return _failure(call, {"code": -32000, "message": str(fault)})
            case "eth_getTransactionReceipt":
                return _result(call, self._mempool.receipt(_text(call), now))
            case _:
                return _failure(call, _NO_METHOD)

    def _has_code(self, address: str) -> bool:
        return address.lower() in _CONTRACTS or self._stands(address.lower())

    def _read(self, data: str) -> str | None:
        """Return what `balanceOf`, `allowance` and `isApprovedForAll` say."""
        held = _BALANCE.fullmatch(data.lower())
        if held is not None:
            account = self._accounts.find("0x" + held[1])
            return f"0x{0 if account is None else account.balance(str(int(held[2], 16))):064x}"
        found = _READ.fullmatch(data.lower())
        if found is None:
            return None
        selector, owner, spender = found.groups()
        is_conditional = selector == IS_APPROVED_FOR_ALL
        allowed = self._accounts.allowance("0x" + owner, "0x" + spender, conditional=is_conditional)
        return f"0x{int(allowed > 0) if is_conditional else allowed:064x}"


def _data(call: RpcCall) -> str:
    first = call.params[0] if call.params else None
    data = first.get("data") if isinstance(first, dict) else None
    return data if isinstance(data, str) else ""


def _text(call: RpcCall) -> str:
    first = call.params[0] if call.params else None
    return first if isinstance(first, str) else ""


def _result(call: RpcCall, result: object) -> Row:
    return {"jsonrpc": "2.0", "id": call.id, "result": result}


def _failure(call: RpcCall, fault: Row) -> Row:
    return {"jsonrpc": "2.0", "id": call.id, "error": fault}
