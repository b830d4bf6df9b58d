"""Orders of an earlier API key: nobody can show them with ours, so their end is waited out.

The venue answers a read with the orders of the key that asks. When the group starts with another
key than the one written down, an empty read proves nothing about what the earlier key still has
in the market; it ends by itself, and zero is not proven before. A risk that is started anew while
that wait runs waits all of it again: whose orders there are is written down as unknown first,
and as ours only when the wait is over. In mode live a first start waits likewise. Holds no clock
and writes nothing itself.
"""

from shared.risk_schema import ANY_KEY, KeyUsed
from shared.units import BootNs


class EarlierKey:
    """Whose orders may be in the market beside ours, and until when.

    Attributes:
        over_ns: From when on only our key can own one; None while that is not known, because
            our key is not, or the change of it is not on disk.
    """

    def __init__(
        self, stored: str | None, wait_until_ns: BootNs, *, real_money: bool = False
    ) -> None:
        """Begin without knowing our own key.

        Args:
            stored: The key last written down, as of `StoredState.api_key`.
            wait_until_ns: When the last order that an earlier group may have sent is over.
            real_money: An account that is new to this data directory may be known to another
                one, whose ledger we cannot read. Found by `ops/model`.
        """
        presumed = ANY_KEY if stored is None and real_money else stored
        self.over_ns: BootNs | None = BootNs(0) if presumed is None else None
        self._stored = presumed
        self._wait_until_ns = wait_until_ns
        self._own = ""

    def found(self, api_key: str) -> tuple[KeyUsed, ...]:
        """Take our own key; return what is to be written down for it now."""
        self._own = api_key
        if self._stored is None:
            self._stored = api_key
            return (KeyUsed(api_key),)
        if self._stored == api_key:
            self.over_ns = BootNs(0)
            return ()
        if self._stored == ANY_KEY:
            self.over_ns = self._wait_until_ns
            return ()
        # Once orders of ours are there, a start with the stored key has to wait as well.
        return (KeyUsed(ANY_KEY),)

    def written(self, record: KeyUsed) -> None:
        """Take what is on disk: from here on no start can forget that the key was changed."""
        if record.api_key == ANY_KEY:
            self._stored = ANY_KEY
            self.over_ns = self._wait_until_ns

    def settled(self, now_ns: BootNs) -> tuple[KeyUsed, ...]:
        """Return our key, to be written down, once after the wait is over."""
        if self._stored != ANY_KEY or self.over_ns is None or now_ns < self.over_ns:
            return ()
        if not self._own:
            return ()
        self._stored = self._own
        return (KeyUsed(self._own),)
