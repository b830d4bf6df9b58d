"""Why single mutants survive: each says what no test could notice, or none should."""

EXPLAINED: dict[str, dict[str, str]] = {}
