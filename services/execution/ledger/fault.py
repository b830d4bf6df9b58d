"""What is raised when the ledger cannot be used."""


class LedgerFault(Exception):
    """Local fault: the ledger cannot be used; people have to look at it."""
