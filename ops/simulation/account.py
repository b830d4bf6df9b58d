"""The throwaway account of a run: its key and credentials in files, as a component finds them."""

from pathlib import Path

from coincurve import PublicKey

from bus.credentials import write_credentials
from bus.settings import Settings
from services.simulator.chance import derive
from services.simulator.keys import Keys
from shared.config import Config
from shared.venue.auth import Credentials
from shared.venue.typed_data import keccak256

_GROUP_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
"""Of secp256k1: private keys are below it."""


def make_account(seed: int, config: Config, directory: Path) -> tuple[Settings, Credentials]:
    """Write key and credentials into a directory, and return settings that name them."""
    settings = Settings(
        config=config,
        path=directory / "simulation.toml",
        run_directory=directory,
        data_directory=directory,
        key_file=directory / config.account.key_file,
        credentials_file=directory / config.account.credentials_file,
        config_hash="config",
        build_hash="build",
        dependency_hash="dependencies",
    )
    key = derive(seed, "wallet") % (_GROUP_ORDER - 1) + 1
    settings.key_file.touch(mode=0o600)
    settings.key_file.write_text(f"{key:064x}\n", encoding="ascii")
    keys = Keys(config.simulator.seed, config.simulator.clock_window_s)
    public = PublicKey.from_valid_secret(key.to_bytes(32, "big")).format(compressed=False)
    credentials = keys.derive("0x" + keccak256(public[1:])[-20:].hex(), 0)
    write_credentials(settings.credentials_file, credentials)
    return settings, credentials
