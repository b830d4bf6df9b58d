"""Doctor's checks of what orders rest on at the chain: contracts, wallet, approvals, balance.

Changes nothing, and says of everything that does not hold which command or deed mends it. What
could not be asked is unknown.
"""

from collections.abc import Iterator

import msgspec

from bus.credentials import CredentialsFault, Missing, read_credentials
from bus.settings import Settings
from ops.approvals import APPROVE_COMMAND, KINDS, Account, CannotApprove
from ops.venue import Unanswered, Venue
from shared.units import MoneyE6
from shared.venue.account_wire import ORDER_VERSIONS_OURS
from shared.venue.approvals import TRADING
from shared.venue.contracts import contract_name
from shared.venue.decimals import format_money

MENDED_BY = f"run `{APPROVE_COMMAND}`"


class MoneyCheck(msgspec.Struct, frozen=True):
    """One check; `holds` is None when it could not be made."""

    name: str
    holds: bool | None
    detail: str


def money_checks(settings: Settings) -> tuple[MoneyCheck, ...]:
    """Make every check."""
    return (*_at_the_venue(settings), *_at_the_chain(settings))


def _at_the_venue(settings: Settings) -> Iterator[MoneyCheck]:
    """Ask the venue for its order version, and what it sees of our wallet."""
    try:
        found = read_credentials(settings.credentials_file)
    except CredentialsFault:
        return  # told by the check of the API key
    venue = Venue(settings.config.venue.clob_url, None if isinstance(found, Missing) else found)
    try:
        version = venue.order_version()
        if isinstance(version, Unanswered):
            yield MoneyCheck("order version", None, version.why)
        else:
            holds = version in ORDER_VERSIONS_OURS
            words = "which we sign" if holds else "which we do not sign: Interlock is too old"
            yield MoneyCheck("order version", holds, f"the venue takes {version}, {words}")
        if not isinstance(found, Missing):
            yield from _balance(venue, KINDS.index(settings.config.account.wallet_kind))
    finally:
        venue.close()


def _balance(venue: Venue, kind: int) -> Iterator[MoneyCheck]:
    seen = venue.balance(kind)
    if isinstance(seen, Unanswered):
        yield MoneyCheck("balance", None, seen.why)
        return
    text = str(seen.balance)
    if not text.isdigit():
        yield MoneyCheck("balance", None, f"the venue says {text[:40]}")
        return
    has = int(text) > 0
    words = f"{format_money(MoneyE6(int(text)))} USD as the venue sees it"
    yield MoneyCheck("balance", has, words if has else f"{words}: send pUSD to the wallet")
    ours = {approval.spender.lower() for approval in TRADING}
    named = {spender.lower() for spender in seen.allowances}
    absent = ", ".join(f"{contract_name(one)} {one}" for one in sorted(ours - named))
    yield MoneyCheck(
        "exchanges",
        not absent,
        f"the venue does not name {absent}: contracts have changed"
        if absent
        else f"{len(ours)} of ours named by the venue",
    )


def _at_the_chain(settings: Settings) -> Iterator[MoneyCheck]:
    """Ask a node for contracts, the wallet and its approvals."""
    if not settings.config.venue.rpc_url:
        if settings.config.run.mode == "live":
            yield MoneyCheck("approvals", None, "venue.rpc_url is empty: no node can be asked")
        return
    try:
        account = Account(settings)
    except CannotApprove as fault:
        yield MoneyCheck("wallet", False, str(fault))
        return
    try:
        account.check_chain()
        yield MoneyCheck("contracts", True, "code stands at every contract that orders rest on")
        yield _wallet(account, settings.config.account.wallet_kind)
        yield _approvals(account)
    except CannotApprove as fault:
        yield MoneyCheck("contracts", False, str(fault))
    finally:
        account.close()


def _wallet(account: Account, kind: str) -> MoneyCheck:
    deployed = account.is_deployed()
    if isinstance(deployed, Unanswered):
        return MoneyCheck("wallet", None, deployed.why)
    words = f"{kind} {account.wallet}"
    if deployed:
        return MoneyCheck("wallet", True, words)
    mended = MENDED_BY if kind == "deposit" else "trade once on the venue's web page"
    return MoneyCheck("wallet", False, f"{words} does not stand on the chain; {mended}")


def _approvals(account: Account) -> MoneyCheck:
    standings = account.standings()
    missing = [row.approval.words for row in standings if row.stands is False]
    unknown = [row.why for row in standings if row.stands is None]
    if missing:
        return MoneyCheck("approvals", False, f"missing: {'; '.join(missing)}; {MENDED_BY}")
    if unknown:
        return MoneyCheck("approvals", None, unknown[0])
    return MoneyCheck("approvals", True, f"all {len(standings)} stand")
