"""The relayer: which wallets stand on the chain, and transactions that it sends for them.

There is no chain behind it. A deposit wallet stands once its owner has a key here, as somebody who
has been at the venue's web page, or has created it; the legacy form of it never does. Approvals
change the allowances of the simulator's accounts once they are mined; a call that moves money or
positions ends in STATE_FAILED and says so.

Source: https://docs.polymarket.com/api-reference (relayer, 2026-09-28) and polymarket-client
0.14.0, whose retries its texts are worded for.
"""

from collections import deque

import msgspec

from services.simulator.accounts import Accounts
from services.simulator.answers import Answer, error, ok
from services.simulator.chain.wire import (
    SUBMISSION,
    Approval,
    approval_of,
    calls_of,
    is_signed,
    wallet_of,
)
from services.simulator.chance import derive
from services.simulator.edge import Request, last_segment
from services.simulator.keys import Keys
from shared.units import NS_PER_S, Instant
from shared.venue.faults import Malformed
from shared.venue.relayer_wire import Submission
from shared.venue.wallets import (
    DEPOSIT_WALLET,
    PROXY,
    SAFE,
    deposit_address,
    proxy_address,
    safe_address,
)
from shared.venue.wire import decode

RELAYER_ADDRESS = "0x00000000000000000000000000000000000051b2"
SUBMITS_PER_MINUTE = 25
TRANSACTIONS_MAX = 1_000
_AUTH_HEADERS = (
    ("RELAYER_API_KEY", "RELAYER_API_KEY_ADDRESS"),
    ("POLY_BUILDER_API_KEY", "POLY_BUILDER_SIGNATURE"),
)
_MS_PER_S = 1000


class Transaction(msgspec.Struct, eq=False):
    """One transaction, which moves on by its age.

    Attributes:
        wallet: Lower case; it has one transaction on its way at a time.
        fault: Why it fails, empty when it does not.
        approvals: What it allows once it is mined, empty when that is done.
    """

    transaction_id: str
    wallet: str
    submitted_ms: int
    fault: str
    approvals: tuple[Approval, ...] = ()


class Relayer:
    """Handles the relayer's requests."""

    def __init__(self, keys: Keys, accounts: Accounts, mined_ms: int, confirmed_ms: int) -> None:
        """Set who has keys, whose wallets these are, and how long the chain takes."""
        self._keys = keys
        self._accounts = accounts
        self._standings = accounts.standings
        self._mined_ms = mined_ms
        self._confirmed_ms = confirmed_ms
        self._nonces: dict[str, int] = {}
        self._transactions: dict[str, Transaction] = {}
        self._in_flight: dict[str, Transaction] = {}
        self._submits: dict[str, deque[int]] = {}

    # --- reads ----------------------------------------------------------------------

    def deployed(self, request: Request, now: Instant) -> Answer:
        """Handle GET /deployed."""
        return ok({"deployed": self.stands(request.query.get("address", "").lower())})

    def stands(self, address: str) -> bool:
        """Tell whether a wallet of somebody with a key is there; others are not known."""
        for owner in self._keys.owners():
            for kind, address_of in _WALLETS.items():
                if address == address_of(owner):
                    return self._standings.knows(kind, address)
        return self._standings.is_noted(address)

    def parameters(self, request: Request, now: Instant) -> Answer:
        """Handle GET /v1/account/transactions/params and GET /relay-payload."""
        nonce = self._nonces.get(request.query.get("address", "").lower(), 0)
        return ok({"address": RELAYER_ADDRESS, "nonce": str(nonce)})

    def nonce(self, request: Request, now: Instant) -> Answer:
        """Handle GET /nonce."""
        return ok({"nonce": str(self._nonces.get(request.query.get("address", "").lower(), 0))})

    def transaction(self, request: Request, now: Instant) -> Answer:
        """Handle GET /v1/account/transactions/{id}."""
        found = self._transactions.get(last_segment(request))
        if found is None:
            return error(404, "transaction not found")
        self._mine(found, now)
        state = self._state(found, now)
        is_mined = state in ("STATE_MINED", "STATE_CONFIRMED")
        digits = derive(0, "relayed", found.transaction_id)
        return ok(
            {
                "transaction_id": found.transaction_id,
                "transaction_hash": f"0x{digits:064x}" if is_mined else "",
                "state": state,
                "error_msg": found.fault if state == "STATE_FAILED" else "",
            }
        )

    def _state(self, transaction: Transaction, now: Instant) -> str:
        age_ms = now.wall_ms - transaction.submitted_ms
        if age_ms >= self._mined_ms and transaction.fault:
            return "STATE_FAILED"
        if age_ms >= self._mined_ms + self._confirmed_ms:
            return "STATE_CONFIRMED"
        if age_ms >= self._mined_ms:
            return "STATE_MINED"
        return "STATE_EXECUTED" if age_ms * 2 >= self._mined_ms > 0 else "STATE_NEW"

    def _mine(self, transaction: Transaction, now: Instant) -> None:
        """Let what a transaction allows come true, once it is mined."""
        if self._state(transaction, now) not in ("STATE_MINED", "STATE_CONFIRMED"):
            return
        approvals, transaction.approvals = transaction.approvals, ()
        account = self._accounts.get(transaction.wallet) if approvals else None
        for approval in approvals:
            assert account is not None
            self._accounts.allow(
                account, approval.spender, approval.amount, conditional=approval.conditional
            )

    # --- submitting -----------------------------------------------------------------

    def submit(self, request: Request, now: Instant) -> Answer:
        """Handle POST /submit."""
        if not any(all(map(request.headers.get, names)) for names in _AUTH_HEADERS):
            return error(401, "invalid authorization")
        try:
            submission = decode(SUBMISSION, request.body, "submission")
        except Malformed:
            return error(400, "invalid payload")
        owner = submission.sender.lower()
        if self._is_too_fast(owner, now):
            return error(429, "Too Many Requests", retry_after_s=60)
        try:
            wallet = wallet_of(submission)
        except ValueError:
            return error(400, "invalid payload")
        active = self._in_flight.get(wallet)
        if active is not None:
            self._mine(active, now)
        if active is not None and self._state(active, now) in ("STATE_NEW", "STATE_EXECUTED"):
            return error(400, f"wallet busy: {active.transaction_id} is its active action")
        refused = self._check(submission, wallet, now)
        return refused or self._accept(submission, wallet, now)

    def _is_too_fast(self, owner: str, now: Instant) -> bool:
        times = self._submits.setdefault(owner, deque(maxlen=SUBMITS_PER_MINUTE))
        since = now.monotonic_ns - 60 * NS_PER_S
        if len(times) == SUBMITS_PER_MINUTE and times[0] > since:
            return True
        times.append(now.monotonic_ns)
        return False

    def _check(self, submission: Submission, wallet: str, now: Instant) -> Answer | None:
        """Return why what an owner has signed is refused."""
        if submission.type == "WALLET-CREATE":
            return None
        if submission.type not in ("WALLET", "SAFE", "PROXY"):
            return error(400, "invalid payload")
        params = submission.params
        if submission.type == "WALLET":
            if params is None or params.deposit_wallet.lower() != wallet:
                return error(400, "deposit wallet does not belong to the signer")
            if not _is_number(params.deadline) or int(params.deadline) * _MS_PER_S < now.wall_ms:
                return error(400, "deadline has passed")
        elif submission.proxy_wallet.lower() != wallet:
            return error(400, "wallet does not belong to the signer")
        nonce = self._nonces.get(submission.sender.lower(), 0)
        if submission.nonce != str(nonce):
            return error(
                400, f"batch nonce {submission.nonce} does not match on-chain nonce {nonce}"
            )
        is_right = is_signed(submission, nonce, RELAYER_ADDRESS)
        return None if is_right else error(400, "invalid signature")

    def _accept(self, submission: Submission, wallet: str, now: Instant) -> Answer:
        owner = submission.sender.lower()
        number = len(self._transactions)
        if number >= TRANSACTIONS_MAX:
            return error(503, "the simulator keeps no more transactions")
        digits = f"{derive(0, 'transaction id', owner, str(number)):032x}"[-32:]
        name = f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"
        fault, approvals = _outcome_of(submission)
        transaction = Transaction(name, wallet, now.wall_ms, fault, approvals)
        self._transactions[name] = transaction
        self._in_flight[wallet] = transaction
        if submission.type == "WALLET-CREATE":
            self._standings.note_wallet(wallet, known=True)
        else:
            self._nonces[owner] = self._nonces.get(owner, 0) + 1
        return ok({"transactionID": name, "state": "STATE_NEW"})


_WALLETS = {DEPOSIT_WALLET: deposit_address, PROXY: proxy_address, SAFE: safe_address}


def _outcome_of(submission: Submission) -> tuple[str, tuple[Approval, ...]]:
    """Return why a transaction fails, or what it allows."""
    if submission.type == "WALLET-CREATE":
        return "", ()
    try:
        calls = calls_of(submission)
    except ValueError as fault:
        return f"reverted: {fault}", ()
    approvals = [(call, approval_of(call)) for call in calls]
    strange = [call for call, approval in approvals if approval is None]
    if strange:
        return f"calls of {strange[0].selector} are not simulated", ()
    return "", tuple(approval for _, approval in approvals if approval is not None)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()
