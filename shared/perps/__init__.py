"""Hyperliquid's dialect without any I/O: another venue than the one that is traded on."""
