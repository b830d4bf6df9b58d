"""What is raised when the ledger cannot be used."""


class LedgerFault(Exception):
    """Local fault: the ledger cannot be used; people have to look at it."""


class LedgerHeld(LedgerFault):
    """Another connection holds the file at this moment, as a reader that recovers its log does."""
