"""Why single mutants survive: each says what no test could notice, or none should."""

WORDS = "words for people; the name of the denial is what is counted, and is tested."
SPEED = "decides when an anchor rides along, which is a matter of speed: the chain is right anyway."
EPOCH = "set by the core before the first report comes."
AGAIN = "reading the end of the chain once more before the next records finds the same end."

EXPLAINED: dict[str, dict[str, str]] = {
    "services/execution/order_checks.py": {
        "_check_shape: 'a quote that may take' → 'a quote that may takeXX'": WORDS,
        "_check_sell: 'a buy adds' → 'a buy addsXX'": WORDS,
    },
    "services/execution/ledger/ledger.py": {
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
    "services/execution/reconciliation/reconcile.py": {
        "Reconciler.__init__: self.epoch = 0 → (nothing)": EPOCH,
        "Reconciler.__init__: 0 → 1": EPOCH,
        "Reconciler.take_read: continue → (nothing)": (
            "an order that is shown is noted as unlisted too, and seen again by the next read."
        ),
        "Reconciler.take_look: look.order.status == 'MATCHED' and order.is_exposed"
        " → look.order.status == 'MATCHED'": "an ended order takes no event.",
        "Reconciler.bury: order.unlisted_ns > order.deadline_ns"
        " → order.unlisted_ns >= order.deadline_ns": "one nanosecond of a margin of seconds.",
        "Reconciler._apply: report.size_matched_e6 is not None and is_scaled and"
        " (event in ENDS_UNSEEN) → report.size_matched_e6 is not None and is_scaled": (
            "telling of an order that has not ended changes nothing."
        ),
        "_see: 0 → 1": "one absent read more or less only asks for the order a round sooner.",
        "_see: order.unlisted_ns = order.not_found_ns = BootNs(0) → (nothing)": (
            "the report that follows forgets not having been found."
        ),
        "_is_late_there: venue_s is None or not expiration_s or venue_s > expiration_s -"
        " GTD_EXPIRATION_MIN_S → venue_s is None or venue_s > expiration_s -"
        " GTD_EXPIRATION_MIN_S": "without an expiration the bound is below any time there.",
    },
}
