"""The ledger: what waits for it, its file from opening to checkpoint, what a start reads."""
