"""Why single mutants survive: each says what no test could notice, or none should."""

WORDS = "words for people; the name of the denial is what is counted, and is tested."
SPEED = "decides when an anchor rides along, which is a matter of speed: the chain is right anyway."
AGAIN = "reading the end of the chain once more before the next records finds the same end."

EXPLAINED: dict[str, dict[str, str]] = {
    "services/execution/order_checks.py": {
        "_check_shape: 'a quote that may take' → 'a quote that may takeXX'": WORDS,
        "_check_sell: 'a buy adds' → 'a buy addsXX'": WORDS,
    },
    "services/execution/ledger.py": {
        "module: 2 → 3": SPEED,
        "Ledger.apply: isinstance(record, OrderRecord) and record.state == 'INTENDED'"
        " → isinstance(record, OrderRecord)": SPEED,
        "Ledger.__init__: self._database.close() → (nothing)": (
            "execution stands still without a ledger, and its end closes the file."
        ),
        "Ledger.__init__: self._has_intent = False → (nothing)": (
            "set anew at the begin of every transaction, before anybody asks."
        ),
        "Ledger._go_back: self._is_lost = False → (nothing)": AGAIN,
        "Ledger._go_back: False → True": AGAIN,
    },
}
