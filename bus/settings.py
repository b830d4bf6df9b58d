"""Finding and checking the configuration, with every finding at once.

`shared/config.py` knows the schema; this finds the file, looks at the files it names, and
makes the three hashes that every pong carries. Paths: the profile is named by the caller
or by INTERLOCK_CONFIG. Its `run_directory` and `data_directory` are relative to the working
directory, and INTERLOCK_RUN and INTERLOCK_DATA stand above them. `key_file` and
`credentials_file` are relative to the data directory.
"""

import hashlib
import importlib.metadata
import os
import stat
from collections.abc import Mapping
from pathlib import Path

import msgspec

from bus.endpoints import PathTooLong, socket_path
from bus.restart_calendar import UnknownZone, find_zone
from shared.config import Config, Finding, parse
from shared.topics import COMPONENTS

CONFIG_VARIABLE = "INTERLOCK_CONFIG"
RUN_VARIABLE = "INTERLOCK_RUN"
DATA_VARIABLE = "INTERLOCK_DATA"

PACKAGES = ("bus", "services", "shared")
"""What runs; the command may be newer or older than the group that it looks at."""

HASH_BYTES = 8

SOURCE_ROOT = Path(__file__).resolve().parent.parent


class Settings(msgspec.Struct, frozen=True):
    """A checked configuration with its resolved paths and its hashes.

    Attributes:
        path: The profile.
        key_file: Absolute; may be missing unless its presence was asked for.
        credentials_file: Absolute; likewise.
    """

    config: Config
    path: Path
    run_directory: Path
    data_directory: Path
    key_file: Path
    credentials_file: Path
    config_hash: str
    build_hash: str
    dependency_hash: str

    @property
    def price_credentials_file(self) -> Path:
        """Return the price socket's credentials: the account's unless the profile names others."""
        name = self.config.account.price_credentials_file
        return self.data_directory / name if name else self.credentials_file


def load(
    path: Path | None = None,
    environment: Mapping[str, str] | None = None,
    *,
    secrets_needed: bool = False,
) -> Settings | tuple[Finding, ...]:
    """Read a profile and check it with everything that it names.

    Args:
        path: Profile; None: the one that INTERLOCK_CONFIG names.
        environment: Variables; None: those of the process.
        secrets_needed: Whether a missing key or credentials file is a finding. Components
            wait for them inside; only the command's own check reports them.
    """
    variables = os.environ if environment is None else environment
    profile = path or Path(variables.get(CONFIG_VARIABLE, ""))
    if profile == Path(""):
        return (Finding(CONFIG_VARIABLE, "is not set, and no profile was named"),)
    try:
        text = profile.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        return (Finding("file", f"{profile} cannot be read: {error}"),)
    parsed = parse(text)
    if not isinstance(parsed, Config):
        return parsed
    settings = _resolve(parsed, profile, variables)
    findings = check_files(settings, secrets_needed=secrets_needed)
    return tuple(findings) or settings


def check_files(settings: Settings, *, secrets_needed: bool) -> list[Finding]:
    """Return what is wrong with the paths of a configuration."""
    findings = []
    longest = max(COMPONENTS, key=len)
    try:
        socket_path(str(settings.run_directory), f"{longest}.snap")
    except PathTooLong as error:
        findings.append(Finding("run.run_directory", str(error)))
    try:
        find_zone(settings.config.venue.restart_zone)
    except UnknownZone as error:
        findings.append(Finding("venue.restart_zone", str(error)))
    for where, path in (
        ("account.key_file", settings.key_file),
        ("account.credentials_file", settings.credentials_file),
        *price_credentials(settings),
    ):
        what = secret_file_problem(path)
        if what is not None and (secrets_needed or what != MISSING):
            findings.append(Finding(where, f"{path} {what}"))
    return findings


def price_credentials(settings: Settings) -> tuple[tuple[str, Path], ...]:
    """Return the price socket's own credentials file, when there is one, with its setting."""
    if settings.price_credentials_file == settings.credentials_file:
        return ()
    return (("account.price_credentials_file", settings.price_credentials_file),)


MISSING = "is missing"


def secret_file_problem(path: Path) -> str | None:
    """Return why a secret's file may not be used, None when it may."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return MISSING
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    if not stat.S_ISREG(found.st_mode):
        return "is no plain file"
    if found.st_uid != os.getuid():
        return f"belongs to user {found.st_uid}"
    if stat.S_IMODE(found.st_mode) & 0o077:
        return f"has mode {stat.S_IMODE(found.st_mode):04o}, must be 0600"
    return None


def hash_config(config: Config) -> str:
    """Return the hash of the settings in force, whatever the file's comments and order."""
    return _digest(msgspec.json.encode(config, order="deterministic"))


def hash_build(root: Path = SOURCE_ROOT) -> str:
    """Return the hash of all source that runs, names included."""
    parts = []
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            content = path.read_bytes()
            parts.append(f"{path.relative_to(root)}:{len(content)}\n".encode() + content)
    return _digest(b"".join(parts))


def hash_dependencies() -> str:
    """Return the hash of every installed distribution with its version."""
    installed = {
        f"{distribution.name.lower()}=={distribution.version}"
        for distribution in importlib.metadata.distributions()
    }
    return _digest("\n".join(sorted(installed)).encode())


def _resolve(config: Config, profile: Path, variables: Mapping[str, str]) -> Settings:
    run = Path(variables.get(RUN_VARIABLE) or config.run.run_directory).absolute()
    data = Path(variables.get(DATA_VARIABLE) or config.run.data_directory).absolute()
    return Settings(
        config=config,
        path=profile.absolute(),
        run_directory=run,
        data_directory=data,
        key_file=data / config.account.key_file,
        credentials_file=data / config.account.credentials_file,
        config_hash=hash_config(config),
        build_hash=hash_build(),
        dependency_hash=hash_dependencies(),
    )


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=HASH_BYTES).hexdigest()
