"""Settings for the tests of execution; keywords spoil its limits."""

from typing import Any

import msgspec

from shared.config import Config, parse

TOML = """
[run]
profile = "test"
[account]
key_file = "key"
credentials_file = "credentials"
[venue]
clob_url = "http://127.0.0.1:18080"
discovery_url = "http://127.0.0.1:18080"
geoblock_url = "http://127.0.0.1:18080"
market_socket_url = "ws://127.0.0.1:18080"
user_socket_url = "ws://127.0.0.1:18080"
price_socket_url = "ws://127.0.0.1:18080"
"""


def build_config(*, dry_run: bool = False, node: str = "", **limits: Any) -> Config:
    """Return the defaults, some limits spoiled, and a node of the chain if one is named."""
    config = parse(f'{TOML}rpc_url = "{node}"\n')
    assert isinstance(config, Config)
    config = msgspec.structs.replace(
        config, run=msgspec.structs.replace(config.run, dry_run=dry_run)
    )
    return msgspec.structs.replace(config, limits=msgspec.structs.replace(config.limits, **limits))
