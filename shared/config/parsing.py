"""TOML text into settings, or into every finding at once."""

import tomllib
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta

from shared.config.components import SILENT, ComponentSettings
from shared.config.endpoints import is_loopback, strangers
from shared.config.ramp import STEPS_USD
from shared.config.section import Section
from shared.config.settings import Config

LIVE_ACKNOWLEDGEMENT = "I trade real money"
"""What a profile must say, exactly, before anything that belongs to it may cost money."""


LIVE_DAILY_PERCENT_MAX = 10
"""Of the capital that a UTC day may lose. Source: requirement CB-2."""


class Finding(msgspec.Struct, frozen=True):
    """One thing wrong with a configuration: where it is, and what."""

    where: str
    what: str


def parse(text: str) -> Config | tuple[Finding, ...]:
    """Turn TOML text into settings, or into every finding at once, in file order."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return (Finding("file", f"not TOML: {error}"),)
    findings: list[Finding] = []
    _check_table(raw, Config, "", findings)
    if findings:
        return tuple(findings)
    config = msgspec.convert(raw, Config)
    findings = check_together(config)
    return tuple(findings) if findings else config


def check_together(config: Config) -> list[Finding]:
    """Check the rules between settings that no single range can hold."""
    timing = config.timing
    findings: list[Finding] = []
    if timing.lease_ms >= timing.socket_timeout_ms + timing.read_gap_ms:
        findings.append(
            Finding(
                "timing.lease_ms",
                "must be below socket_timeout_ms + read_gap_ms: a proof rests on it",
            )
        )
    if timing.lease_ms < 3 * timing.ping_ms:
        findings.append(Finding("timing.lease_ms", "must be at least three pings (ping_ms)"))
    if timing.hang_ms < timing.lease_ms:
        findings.append(Finding("timing.hang_ms", "must not be below lease_ms"))
    if timing.hang_ms + timing.blocked_ms > 600:
        findings.append(Finding("timing.hang_ms", "hang_ms + blocked_ms must not pass 600 ms"))
    if timing.oracle_cancel_ms < timing.oracle_pause_ms:
        findings.append(Finding("timing.oracle_cancel_ms", "must not be below oracle_pause_ms"))
    if timing.beat_admission_ms < 2 * timing.beat_every_ms:
        findings.append(
            Finding("timing.beat_admission_ms", "must be at least two beats (beat_every_ms)")
        )
    if config.markets.cutoff_ms >= config.markets.interval_s * 1000:
        findings.append(
            Finding("markets.cutoff_ms", "must be below the market's length (interval_s)")
        )
    if config.run.mode == "live" and config.run.live_acknowledgement != LIVE_ACKNOWLEDGEMENT:
        findings.append(
            Finding("run.live_acknowledgement", "mode live needs exactly `I trade real money`")
        )
    findings += _check_names(config)
    findings += _check_clock(config)
    findings += _check_components(config)
    findings += _check_resources(config)
    findings += _check_losses(config)
    findings += _check_mode(config)
    findings += _check_prices(config)
    findings += _check_perp(config)
    if config.account.wallet_kind != "eoa" and not config.account.wallet_address:
        findings.append(
            Finding("account.wallet_address", "is needed for every wallet kind but eoa")
        )
    return findings


def _check_names(config: Config) -> list[Finding]:
    """Check that every name server is an address: its own name would have to be resolved first."""
    try:
        config.names.addresses()
    except ValueError as fault:
        return [Finding("names.servers", str(fault))]
    return []


def _check_perp(config: Config) -> list[Finding]:
    """Check that perpetual futures which are wanted can be read."""
    if config.perp.enabled and not config.perp.socket_url:
        return [Finding("perp.socket_url", "is needed where perp.enabled is true")]
    return []


def _check_clock(config: Config) -> list[Finding]:
    """Check the limits of the clock's offset against one another."""
    settings = config.clock
    findings = []
    if settings.halt_ms < settings.alert_ms:
        findings.append(Finding("clock.halt_ms", "must not be below alert_ms"))
    if settings.unknown_ms < 2 * settings.measure_every_ms:
        what = "must be at least two questions (measure_every_ms)"
        findings.append(Finding("clock.unknown_ms", what))
    return findings


def _check_components(config: Config) -> list[Finding]:
    """Check that nobody is killed for a silence that does not count as a hang yet."""
    tables = {name: getattr(config.components, name) for name in SILENT}
    return [
        Finding(f"components.{name}.kill_ms", "must not be below hang_ms")
        for name, table in tables.items()
        if isinstance(table, ComponentSettings) and table.kill_ms < table.hang_ms
    ]


def _check_resources(config: Config) -> list[Finding]:
    """Check that the levels of a disk rise, and that readings come often enough."""
    settings = config.resources
    findings = []
    if settings.disk_critical_percent < settings.disk_warn_percent:
        what = "must not be below disk_warn_percent"
        findings.append(Finding("resources.disk_critical_percent", what))
    if settings.disk_full_percent < settings.disk_critical_percent:
        what = "must not be below disk_critical_percent"
        findings.append(Finding("resources.disk_full_percent", what))
    for name in ("cpu_ms", "unread_ms"):
        if getattr(settings, name) < 2 * settings.measure_every_ms:
            what = "must be at least two readings (measure_every_ms)"
            findings.append(Finding(f"resources.{name}", what))
    return findings


def _check_losses(config: Config) -> list[Finding]:
    """Check that no limit on losses lies beyond what a step of the capital may lose."""
    findings = []
    if config.run.mode == "live" and config.losses.daily_percent_max > LIVE_DAILY_PERCENT_MAX:
        what = f"must not be over {LIVE_DAILY_PERCENT_MAX} in mode live"
        findings.append(Finding("losses.daily_percent_max", what))
    most_usd = max(STEPS_USD) * config.losses.daily_percent_max // 100
    if config.limits.daily_loss_usd_max > most_usd:
        findings.append(
            Finding(
                "limits.daily_loss_usd_max",
                f"must not be over {most_usd}: losses.daily_percent_max of the highest capital",
            )
        )
    if config.losses.daily_quote_percent < config.losses.daily_warn_percent:
        findings.append(
            Finding("losses.daily_quote_percent", "must not be below daily_warn_percent")
        )
    return findings


def _check_mode(config: Config) -> list[Finding]:
    """Check what a mode must name, and what it must not reach."""
    findings = [Finding(where, what) for where, what in strangers(config)]
    account, venue, mode = config.account, config.venue, config.run.mode
    if mode == "replay" and not config.mirror.recording:
        findings.append(Finding("mirror.recording", "mode replay needs a file to play"))
    if mode != "paper":
        return findings
    if not venue.books_url:
        findings.append(
            Finding("venue.books_url", "mode paper needs the real venue's books over REST")
        )
    own = account.price_credentials_file in ("", account.credentials_file)
    if own and not is_loopback(venue.price_socket_url):
        findings.append(
            Finding(
                "account.price_credentials_file",
                "is needed: the real venue does not know the simulated account",
            )
        )
    return findings


def _check_prices(config: Config) -> list[Finding]:
    """Check what is said of recorded prices; the files themselves are looked at elsewhere."""
    simulator = config.simulator
    if not simulator.prices_file:
        needy = ("markets_file", "prices_from")
        return [
            Finding(f"simulator.{name}", "needs prices_file")
            for name in needy
            if getattr(simulator, name)
        ]
    if simulator.prices_asset not in config.markets.assets:
        what = f"{simulator.prices_asset} is none of markets.assets"
        return [Finding("simulator.prices_asset", what)]
    return []


def _check_table(
    raw: dict[str, Any], schema: type[Section], path: str, findings: list[Finding]
) -> None:
    """Collect the findings of one table and of those inside it."""
    hints = get_type_hints(schema, include_extras=True)
    for key in raw:
        if key not in hints:
            findings.append(Finding(path + key, _unknown_key(key, hints)))
    for field in msgspec.structs.fields(schema):
        where = path + field.name
        if field.name not in raw:
            if field.required:
                findings.append(Finding(where, "is missing"))
            continue
        hint = hints[field.name]
        value = raw[field.name]
        if isinstance(hint, type) and issubclass(hint, Section):
            if isinstance(value, dict):
                _check_table(value, hint, where + ".", findings)
            else:
                findings.append(Finding(where, "must be a table"))
            continue
        try:
            msgspec.convert(value, hint)
        except msgspec.ValidationError as error:
            findings.append(Finding(where, _explain(str(error), hint, value)))


def _unknown_key(key: str, hints: dict[str, Any]) -> str:
    """Say that a key is unknown, and whether only its unit is wrong."""
    units = ("ns", "us", "ms", "s", "usd", "e4", "shares", "mib")
    stem = "_".join(part for part in key.split("_") if part not in units)
    for known in hints:
        if "_".join(part for part in known.split("_") if part not in units) == stem:
            return f"unknown key; did you mean `{known}`? The unit is part of the name"
    return "unknown key"


def _explain(error: str, hint: Any, value: object) -> str:
    """Add the setting's own description to the decoder's words."""
    description = ""
    if get_origin(hint) is Annotated:
        for meta in get_args(hint)[1:]:
            if isinstance(meta, Meta) and meta.description:
                description = f" ({meta.description})"
    return f"is {value!r}: {error}{description}"
