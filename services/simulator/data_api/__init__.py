"""The venue's data service, told from the exchange's own trades and balances."""
