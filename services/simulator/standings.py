"""Who may trade: known wallets, accounts that are banned or may only close, builders' codes.

All of it is switched by hand (`POST /admin/standing`, `POST /admin/builders`), as the venue's
staff would; nothing here is remembered over a restart of the simulator.

Source: https://docs.polymarket.com/resources/error-codes (2026-09-28); that fresh makers of other
kinds than deposit wallets are refused: https://github.com/Polymarket/py-clob-client-v2/issues/53;
that an order of a deposit wallet which is not deployed is refused as one of a wrong signer:
https://github.com/Polymarket/py-clob-client-v2/issues/64.
"""

from typing import Literal, TypeVar

import msgspec

from shared.venue.order_hash import BYTES32_ZERO
from shared.venue.wallets import DEPOSIT_WALLET, EOA, PROXY, SAFE

Standing = Literal["normal", "closed_only", "banned"]

ENTRIES_MAX = 10_000
"""Addresses, and builders, of which something is noted."""


class BuilderFees(msgspec.Struct, frozen=True):
    """What a builder takes on top, in basis points of the notional; told, but not charged here."""

    maker_bps: int = 0
    taker_bps: int = 0


class Standings:
    """What is noted of addresses and builders."""

    def __init__(self, *, eoa: bool = True, legacy: bool = True, deposit: bool = True) -> None:
        """Set which wallets are known without anybody saying so.

        Args:
            eoa: Plain keys as makers.
            legacy: Proxies and Safes.
            deposit: Deposit wallets, that is whether they count as deployed.
        """
        self._by_kind = {EOA: eoa, PROXY: legacy, SAFE: legacy, DEPOSIT_WALLET: deposit}
        self._known: dict[str, bool] = {}
        self._standings: dict[str, Standing] = {}
        self._builders: dict[str, BuilderFees] = {}

    def note_wallet(self, address: str, *, known: bool) -> bool:
        """Note whether a wallet is known; return False when too many are noted."""
        return _put(self._known, address.lower(), known)

    def note_standing(self, address: str, standing: Standing) -> bool:
        """Note how an account stands; return False when too many are noted."""
        return _put(self._standings, address.lower(), standing)

    def note_builder(self, code: str, fees: BuilderFees) -> bool:
        """Register a builder's code; return False when there are too many."""
        return _put(self._builders, code.lower(), fees)

    def knows(self, signature_type: int, address: str) -> bool:
        """Tell whether a wallet of this kind is known, or a deposit wallet deployed."""
        return self._known.get(address.lower(), self._by_kind[signature_type])

    def is_noted(self, address: str) -> bool:
        """Tell whether somebody has said that a wallet is known."""
        return self._known.get(address.lower(), False)

    def of(self, *addresses: str) -> tuple[Standing, str]:
        """Return the worst standing among the addresses of one order, and whose it is."""
        found = [(self._standings.get(name.lower(), "normal"), name) for name in addresses]
        return max(found, key=lambda item: _ORDER.index(item[0]))

    def builder(self, code: str) -> BuilderFees | None:
        """Return the fees of a registered code, None for an unknown one."""
        return self._builders.get(code.lower())

    def takes_builder(self, code: str) -> bool:
        """Tell whether an order may name this code; zero names none."""
        return code == BYTES32_ZERO or code.lower() in self._builders


T = TypeVar("T")

_ORDER: tuple[Standing, ...] = ("normal", "closed_only", "banned")


def _put(table: dict[str, T], name: str, value: T) -> bool:
    if name not in table and len(table) >= ENTRIES_MAX:
        return False
    table[name] = value
    return True
