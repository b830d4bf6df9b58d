"""Perpetual futures of the same underlyings, as another venue (Hyperliquid) tells them."""
