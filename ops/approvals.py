"""Which approvals of the configured wallet stand, and giving those that are missing.

Reads the chain itself, through a node: what the venue says of approvals is a copy that may be
old. Gives them as the wallet's kind wants it: a plain key by a transaction each, a contract by one
batch through the relayer. Nothing is approved for an address without code, from a wallet that
the key does not own, or on another chain.

    CannotApprove(Exception)    local or remote: why nothing may be given; nothing was sent
"""

from collections.abc import Callable
from pathlib import Path

import msgspec

from bus import clock
from bus.settings import Settings, secret_file_problem
from ops.chain import Node, Relayer
from ops.keys import Key, KeyFault, read_key
from ops.relaying import submission_of, wallet_creation
from ops.venue import Unanswered
from ops.waiting import wait_for
from shared.units import NS_PER_S
from shared.venue.approvals import TRADING, Approval, giving_call
from shared.venue.contracts import TRADED
from shared.venue.relayer_wire import DONE, OVER
from shared.venue.wallet_calls import WalletCall
from shared.venue.wallets import legacy_deposit_address, maker_address

KINDS = ("eoa", "proxy", "safe", "deposit")

MINED_WITHIN_S = 200.0
"""Polygon takes seconds; the official client gives up after as long."""

ASK_EVERY_NS = NS_PER_S

APPROVE_COMMAND = "interlock approve"
"""What mends a missing approval."""


class CannotApprove(Exception):
    """Nothing may be given; the text says why."""


class Standing(msgspec.Struct, frozen=True):
    """One approval as the chain has it.

    Attributes:
        stands: None when nobody said; `why` then says why.
    """

    approval: Approval
    stands: bool | None
    why: str = ""


class Sent(msgspec.Struct, frozen=True):
    """A transaction and what became of it.

    Attributes:
        name: Hash, or the relayer's id; empty when it was not taken.
        holds: Whether it did what it should; None when nobody said.
    """

    what: str
    name: str
    holds: bool | None
    result: str


class RelayerKey(msgspec.Struct, frozen=True):
    """The relayer's key file; private, since its repr shows the key."""

    key: str
    address: str


class Account:
    """The configured wallet on its chain.

    Attributes:
        wallet: Lower-case address whose approvals count.
    """

    def __init__(self, settings: Settings) -> None:
        """Read the key and look at what is configured.

        Raises:
            CannotApprove: Something that is needed is not configured, or does not fit.
        """
        config = settings.config
        try:
            self._key = read_key(settings.key_file)
        except KeyFault as fault:
            raise CannotApprove(str(fault)) from None
        self._kind = KINDS.index(config.account.wallet_kind)
        self.wallet = _wallet_of(config.account.wallet_address, self._kind, self._key)
        if not config.venue.rpc_url:
            raise CannotApprove("venue.rpc_url is empty: no node of the chain can be asked")
        if self._kind and not config.venue.relayer_url:
            raise CannotApprove("venue.relayer_url is empty: a wallet that is a contract needs it")
        self._chain_id = config.venue.chain_id
        self._node = Node(config.venue.rpc_url)
        self._relayer = Relayer(config.venue.relayer_url, _relayer_headers(settings, self._key))

    def close(self) -> None:
        """Close the connections."""
        self._node.close()
        self._relayer.close()

    def check_chain(self) -> None:
        """Look whether this is the chain and these are the contracts that orders rest on.

        Raises:
            CannotApprove: They are not, or nobody said.
        """
        chain_id = self._node.chain_id()
        if isinstance(chain_id, Unanswered):
            raise CannotApprove(f"the node does not answer: {chain_id.why}")
        if chain_id != self._chain_id:
            raise CannotApprove(f"the node is on chain {chain_id}, not {self._chain_id}")
        for address, name in TRADED:
            found = self._node.has_code(address)
            if isinstance(found, Unanswered):
                raise CannotApprove(f"{name} {address}: {found.why}")
            if not found:
                raise CannotApprove(f"no contract at {address}, which should be {name}: it changed")

    def is_deployed(self) -> bool | Unanswered:
        """Tell whether the wallet stands; a plain key always does."""
        return self._node.has_code(self.wallet) if self._kind else True

    def standings(self) -> tuple[Standing, ...]:
        """Read every approval that orders need."""
        found: list[Standing] = []
        for approval in TRADING:
            stands = self._node.has_approved(approval, self.wallet)
            if isinstance(stands, Unanswered):
                found.append(Standing(approval, None, stands.why))
            else:
                found.append(Standing(approval, stands))
        return tuple(found)

    def create(self) -> Sent:
        """Let the relayer create the deposit wallet."""
        accepted = self._relayer.submit(wallet_creation(self._key.address))
        if isinstance(accepted, Unanswered):
            return Sent("create the deposit wallet", "", None, accepted.why)
        return self._relayed("create the deposit wallet", accepted.transaction_id)

    def give(self, approvals: tuple[Approval, ...]) -> tuple[Sent, ...]:
        """Give approvals and wait for what becomes of them; stops at the first that fails."""
        if self._kind:
            return (self._give_through_relayer(approvals),)
        done: list[Sent] = []
        for approval in approvals:
            done.append(self._give_by_key(approval))
            if not done[-1].holds:
                break
        return tuple(done)

    def _give_by_key(self, approval: Approval) -> Sent:
        name = self._node.send(self._key, giving_call(approval), self._chain_id)
        if isinstance(name, Unanswered):
            return Sent(approval.words, "", None, name.why)
        last = "not mined in time"

        def look() -> bool | None:
            nonlocal last
            found = self._node.outcome(name)
            if isinstance(found, Unanswered):
                last = found.why
                return None
            return found

        holds = wait_for(_slowly(look), MINED_WITHIN_S)
        result = last if holds is None else "mined" if holds else "reverted"
        return Sent(approval.words, name, holds, result)

    def _give_through_relayer(self, approvals: tuple[Approval, ...]) -> Sent:
        calls: tuple[WalletCall, ...] = tuple(map(giving_call, approvals))
        what = "; ".join(approval.words for approval in approvals)
        parameters = self._relayer.parameters(self._key.address, RELAYED[self._kind])
        if isinstance(parameters, Unanswered):
            return Sent(what, "", None, parameters.why)
        now_s = clock.read().wall_ns // NS_PER_S
        signed = submission_of(
            self._kind, self._key, self.wallet, calls, parameters, now_s, self._chain_id
        )
        accepted = self._relayer.submit(signed)
        if isinstance(accepted, Unanswered):
            return Sent(what, "", None, accepted.why)
        return self._relayed(what, accepted.transaction_id)

    def _relayed(self, what: str, transaction_id: str) -> Sent:
        last = "not confirmed in time"

        def look() -> bool | None:
            nonlocal last
            found = self._relayer.progress(transaction_id)
            if isinstance(found, Unanswered):
                last = found.why
                return None
            last = " ".join(filter(None, (found.state, found.transaction_hash, found.error_msg)))
            return True if found.state == DONE else False if found.state in OVER else None

        holds = wait_for(_slowly(look), MINED_WITHIN_S)
        return Sent(what, transaction_id, holds, last)


RELAYED = ("", "PROXY", "SAFE", "WALLET")
"""What the relayer calls each kind of wallet."""


def _wallet_of(configured: str, kind: int, key: Key) -> str:
    """Return the wallet, which must be one of the key's.

    Raises:
        CannotApprove: It is another's.
    """
    own = maker_address(kind, key.address)
    known = {own, legacy_deposit_address(key.address)} if KINDS[kind] == "deposit" else {own}
    wallet = configured.lower() or own
    if wallet not in known:
        raise CannotApprove(
            f"account.wallet_address {wallet} is not the {KINDS[kind]} wallet of the key, {own}"
        )
    return wallet


def _relayer_headers(settings: Settings, key: Key) -> dict[str, str]:
    """Return what the relayer knows us by.

    Raises:
        CannotApprove: The key's file may not or cannot be used.
    """
    name = settings.config.account.relayer_key_file
    if not name:
        # The simulated relayer takes any; a real one says that it does not know this.
        return {"RELAYER_API_KEY": "none", "RELAYER_API_KEY_ADDRESS": key.address}
    path: Path = settings.data_directory / name
    problem = secret_file_problem(path)
    if problem is not None:
        raise CannotApprove(f"{path} {problem}")
    try:
        found = msgspec.json.decode(path.read_bytes(), type=RelayerKey)
    except (OSError, msgspec.DecodeError):  # its text might repeat the key
        raise CannotApprove(f"{path} holds no key and address") from None
    return {"RELAYER_API_KEY": found.key, "RELAYER_API_KEY_ADDRESS": found.address}


def _slowly(look: Callable[[], bool | None]) -> Callable[[], bool | None]:
    """Return a look that asks no more than once a second, however often it is called."""
    next_ns = 0

    def ask() -> bool | None:
        nonlocal next_ns
        now_ns = clock.read().monotonic_ns
        if now_ns < next_ns:
            return None
        next_ns = now_ns + ASK_EVERY_NS
        return look()

    return ask
