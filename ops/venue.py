"""The venue as the command speaks to it: create a key, read open orders, cancel them all.

Deliberately slow and simple: `requests`, no retries, no redirects, no proxy variables; the
caller repeats. What cannot be understood is `Unanswered`, never an empty list.

Source: https://docs.polymarket.com/api-reference (CLOB OpenAPI, 2026-09-28).
"""

from typing import TypeVar

import msgspec
import requests

from bus import clock
from ops.keys import Key
from shared.units import NS_PER_S, BootNs
from shared.venue.account_wire import (
    API_KEY,
    BALANCE_ALLOWANCE,
    COLLATERAL_ASSET,
    CURSOR_END,
    CURSOR_FIRST,
    OPEN_ORDERS,
    OPEN_ORDERS_PATH,
    VERSION_PATH,
    BalanceAllowance,
    OpenOrder,
    balance_path,
)
from shared.venue.auth import (
    ADDRESS_HEADER,
    NONCE_HEADER,
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    Credentials,
    attestation_digest,
    request_headers,
)
from shared.venue.faults import WireFault
from shared.venue.gamma_wire import GEOBLOCK, GEOBLOCK_PATH, Geoblock
from shared.venue.market_wire import VERSION
from shared.venue.orders_wire import CANCEL_ALL_PATH, CANCEL_REPLY, CancelReply
from shared.venue.wire import decode

CREATE_KEY_PATH = "/auth/api-key"
DERIVE_KEY_PATH = "/auth/derive-api-key"
TIME_PATH = "/time"

CONNECT_S = 1.0
ANSWER_S = 2.0
"""Between two bytes of an answer; a person waits, and the caller repeats."""

PAGES_MAX = 50
"""Five thousand open orders: far beyond what the gate lets live."""

BODY_SHOWN_MAX = 200

T = TypeVar("T")


class Unanswered(msgspec.Struct, frozen=True):
    """Nobody said; the words are for people."""

    why: str


class OpenOrders(msgspec.Struct, frozen=True):
    """All open orders of one API key, as one read showed them.

    Attributes:
        sent_ns: Before the first page was asked for.
        answered_ns: After the last was there.
    """

    orders: tuple[OpenOrder, ...]
    sent_ns: BootNs
    answered_ns: BootNs


class Venue:
    """One account at the venue. Holds a connection; not for threads."""

    def __init__(self, clob_url: str, credentials: Credentials | None = None) -> None:
        self._url = clob_url.rstrip("/")
        self._credentials = credentials
        self._session = requests.Session()
        self._session.trust_env = False

    def close(self) -> None:
        """Close the connection."""
        self._session.close()

    def open_orders(self) -> OpenOrders | Unanswered:
        """Return every open order of this key."""
        sent_ns = clock.read().boot_ns
        cursor = CURSOR_FIRST
        found: list[OpenOrder] = []
        for _ in range(PAGES_MAX):
            path = f"{OPEN_ORDERS_PATH}?next_cursor={cursor}"
            page = self._ask("GET", path, OPEN_ORDERS)
            if isinstance(page, Unanswered):
                return page
            found += page.data
            if page.next_cursor == CURSOR_END:
                return OpenOrders(tuple(found), sent_ns, clock.read().boot_ns)
            cursor = page.next_cursor
        return Unanswered(f"more than {PAGES_MAX} pages of open orders")

    def cancel_all(self) -> CancelReply | Unanswered:
        """Ask the venue to cancel every order of this key."""
        return self._ask("DELETE", CANCEL_ALL_PATH, CANCEL_REPLY)

    def time_s(self) -> int | Unanswered:
        """Return the venue's clock in unix seconds."""
        answer = self._send("GET", TIME_PATH, {})
        if isinstance(answer, Unanswered):
            return answer
        text = answer.text.strip()
        return int(text) if text.isdigit() else Unanswered(f"time: {text[:BODY_SHOWN_MAX]}")

    def geoblock(self) -> Geoblock | Unanswered:
        """Return whether orders from this address are refused."""
        answer = self._send("GET", GEOBLOCK_PATH, {})
        if isinstance(answer, Unanswered):
            return answer
        try:
            return decode(GEOBLOCK, answer.content, "geoblock")
        except WireFault as fault:
            return Unanswered(str(fault)[:BODY_SHOWN_MAX])

    def balance(self, kind: int) -> BalanceAllowance | Unanswered:
        """Return the collateral that the venue sees, and what each exchange may move of it.

        Args:
            kind: Signature type of the wallet.
        """
        return self._ask("GET", balance_path(COLLATERAL_ASSET, kind), BALANCE_ALLOWANCE)

    def refresh_balance(self, kind: int) -> str | Unanswered:
        """Let the venue read the wallet from the chain anew; return its answer as it is."""
        return self._ask_text("GET", balance_path(COLLATERAL_ASSET, kind, is_update=True))

    def order_version(self) -> int | Unanswered:
        """Return which version of orders the venue takes."""
        answer = self._send("GET", VERSION_PATH, {})
        if isinstance(answer, Unanswered):
            return answer
        try:
            return decode(VERSION, answer.content, "version").version
        except WireFault as fault:
            return Unanswered(str(fault)[:BODY_SHOWN_MAX])

    def obtain_key(self, key: Key, chain_id: int, nonce: int = 0) -> Credentials | Unanswered:
        """Create an API key for a wallet, or derive the one that exists."""
        created = self._attested("POST", CREATE_KEY_PATH, key, chain_id, nonce)
        if not isinstance(created, Unanswered):
            return created
        derived = self._attested("GET", DERIVE_KEY_PATH, key, chain_id, nonce)
        if not isinstance(derived, Unanswered):
            return derived
        return Unanswered(f"create: {created.why}; derive: {derived.why}")

    def _attested(
        self, method: str, path: str, key: Key, chain_id: int, nonce: int
    ) -> Credentials | Unanswered:
        timestamp_s = clock.read().wall_ns // NS_PER_S
        signature = key.sign(attestation_digest(key.address, timestamp_s, nonce, chain_id))
        headers = {
            ADDRESS_HEADER: key.address,
            SIGNATURE_HEADER: signature,
            TIMESTAMP_HEADER: str(timestamp_s),
            NONCE_HEADER: str(nonce),
        }
        answer = self._send(method, path, headers)
        if isinstance(answer, Unanswered):
            return answer
        try:
            found = decode(API_KEY, answer.content, "API key")
            return Credentials(key.address, found.api_key, found.secret, found.passphrase)
        except ValueError:  # its text might repeat a secret
            return Unanswered("the answer is no API key")

    def _ask_text(self, method: str, path: str) -> str | Unanswered:
        assert self._credentials is not None, "this request needs an API key"
        timestamp_s = clock.read().wall_ns // NS_PER_S
        headers = request_headers(self._credentials, timestamp_s, method, path, b"")
        answer = self._send(method, path, headers)
        return answer if isinstance(answer, Unanswered) else answer.text

    def _ask(self, method: str, path: str, decoder: msgspec.json.Decoder[T]) -> T | Unanswered:
        assert self._credentials is not None, "this request needs an API key"
        timestamp_s = clock.read().wall_ns // NS_PER_S
        headers = request_headers(self._credentials, timestamp_s, method, path, b"")
        answer = self._send(method, path, headers)
        if isinstance(answer, Unanswered):
            return answer
        try:
            return decode(decoder, answer.content, path)
        except WireFault as fault:
            return Unanswered(str(fault)[:BODY_SHOWN_MAX])

    def _send(
        self, method: str, path: str, headers: dict[str, str]
    ) -> requests.Response | Unanswered:
        try:
            answer = self._session.request(
                method,
                self._url + path,
                headers=headers,
                timeout=(CONNECT_S, ANSWER_S),
                allow_redirects=False,
            )
        except requests.RequestException as error:
            return Unanswered(f"{method} {path.partition('?')[0]}: {type(error).__name__}")
        if answer.status_code != requests.codes.ok:
            body = answer.text[:BODY_SHOWN_MAX]
            return Unanswered(f"{method} {path.partition('?')[0]}: {answer.status_code} {body}")
        return answer
