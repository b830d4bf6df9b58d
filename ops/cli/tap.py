"""`interlock tap`: the live bus, decoded, with sequence gaps and rates."""

import contextlib
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import click
import msgpack
import msgspec

from bus import clock
from bus.tap import Heard, Tap
from ops.cli.options import group_options, place_of
from ops.cli.output import DONE, DOWN, age, console, duration, fail, show_json, table
from shared.effects import Received
from shared.identifiers import Component
from shared.topics import BY_NAME, COMPONENTS
from shared.units import NS_PER_S, MonotonicNs

TEXT_SHOWN_MAX = 160
FIRST_WITHIN_S = 2
"""Everybody repeats something ten times a second: after this silence nobody is there."""


@click.command("tap")
@group_options
@click.argument("topics", nargs=-1)
@click.option("--from", "source", type=click.Choice(COMPONENTS), help="One process only.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--stats", is_flag=True, help="Rates, ages and gaps a topic instead of messages.")
@click.option("--count", type=click.IntRange(1), help="End after so many messages.")
@click.option(
    "--seconds", type=click.FloatRange(0.1), help="End after so long. Default with --stats: 2."
)
def command(
    profile: Path | None,
    run_directory: Path | None,
    data_directory: Path | None,
    topics: tuple[str, ...],
    source: str | None,
    as_json: bool,
    stats: bool,
    count: int | None,
    seconds: float | None,
) -> None:
    """Show facts as they are broadcast; TOPICS are names or beginnings of names.

    Listening costs the group nothing: a publisher drops for a slow listener, and the gap
    is shown here.
    """
    run = place_of(profile, run_directory, data_directory).run_directory
    _check(topics)
    components = (Component(source),) if source else COMPONENTS
    if stats and seconds is None and count is None:
        seconds = 2.0
    counts = Counts()
    with (
        Tap(run, components, topics) as tap,
        contextlib.suppress(KeyboardInterrupt, BrokenPipeError),
    ):
        _listen(tap, counts, count, seconds, None if stats else _printer(as_json=as_json))
    if not counts.topics:
        fail(f"nothing was heard from {run}", DOWN)
    if stats:
        _show(counts, as_json=as_json)
    raise SystemExit(DONE)


def _check(topics: tuple[str, ...]) -> None:
    for topic in topics:
        if not any(name.startswith(topic) for name in BY_NAME):
            raise click.UsageError(f"no topic {topic!r}; there are {', '.join(BY_NAME)}")


class Count(msgspec.Struct):
    """One topic of one incarnation: what came and what is missing."""

    component: str
    topic: str
    incarnation: int
    messages: int = 0
    missed: int = 0
    bytes: int = 0
    sequence: int = 0
    latency_ns_max: int = 0


class Counts:
    """What this listener has heard since it began."""

    def __init__(self) -> None:
        self.began_ns = clock.read().monotonic_ns
        self.corrupt = 0
        self.topics: dict[tuple[str, str, int], Count] = {}
        self.newest: dict[tuple[str, str, int], int] = defaultdict(int)

    def take(self, heard: Heard) -> int:
        """Count one message; return how many went missing just before it."""
        header = heard.header
        if header is None:
            self.corrupt += 1
            return 0
        key = (header.component, header.topic, header.incarnation)
        row = self.topics.setdefault(key, Count(*key))
        missed = header.sequence - row.sequence - 1 if row.messages else 0
        row.messages += 1
        row.missed += max(0, missed)
        row.bytes += sum(map(len, heard.frames))
        row.sequence = header.sequence
        row.latency_ns_max = max(row.latency_ns_max, heard.received_ns - header.sent_ns)
        return missed


def _listen(tap: Tap, counts: Counts, count: int | None, seconds: float | None, show: Any) -> None:
    heard_first = False
    taken = 0
    while count is None or taken < count:
        limit_s = seconds if seconds is not None else (None if heard_first else FIRST_WITHIN_S)
        begun_ns = counts.began_ns if seconds is not None else clock.read().monotonic_ns
        wait_s = NS_PER_S if limit_s is None else int(limit_s * NS_PER_S)
        heard = tap.receive(MonotonicNs(begun_ns + wait_s))
        if heard is None:
            if limit_s is not None:
                return
            continue
        heard_first = True
        taken += 1
        missed = counts.take(heard)
        if show is not None:
            show(heard, missed)


def _printer(*, as_json: bool) -> Any:
    shown = console()

    def print_json(heard: Heard, missed: int) -> None:
        # The plain library, as any other language would read it.
        line = {
            "topic": heard.frames[0].decode(errors="replace"),
            "missed": missed,
            "age_ns": None if heard.header is None else heard.received_ns - heard.header.sent_ns,
            "header": _plain(heard.frames[1:2]),
            "body": _plain(heard.frames[2:3]),
        }
        sys.stdout.write(msgspec.json.encode(line).decode() + "\n")
        sys.stdout.flush()

    def print_text(heard: Heard, missed: int) -> None:
        if missed > 0:
            shown.print(f"[bold red]gap: {missed} missed[/]")
        if not isinstance(heard.fact, Received) or heard.header is None:
            shown.print(f"[bold red]corrupt:[/] {heard.fact}")
            return
        fact = heard.fact
        body = msgspec.json.encode(fact.body).decode()
        lag = duration(max(0, heard.received_ns - fact.sent_ns))
        words = f"{fact.component} {fact.topic} #{fact.sequence} {lag} {body}"
        shown.print(words if as_json else words[:TEXT_SHOWN_MAX], markup=False, soft_wrap=True)

    return print_json if as_json else print_text


def _plain(frames: tuple[bytes, ...]) -> Any:
    try:
        return msgpack.unpackb(frames[0]) if frames else None
    except (ValueError, msgpack.UnpackException):
        return {"corrupt": frames[0].hex()}


def _show(counts: Counts, *, as_json: bool) -> None:
    span_s = max(1e-9, (clock.read().monotonic_ns - counts.began_ns) / NS_PER_S)
    rows = list(counts.topics.values())
    if as_json:
        show_json(
            {
                "seconds": span_s,
                "corrupt": counts.corrupt,
                "topics": [
                    {**msgspec.to_builtins(row), "per_second": row.messages / span_s}
                    for row in rows
                ],
            }
        )
        return
    console().print(
        table(
            f"{span_s:.1f} s, {counts.corrupt} corrupt",
            ("component", "topic", "messages", "a second", "missed", "bytes", "slowest"),
            [
                (
                    row.component,
                    row.topic,
                    row.messages,
                    f"{row.messages / span_s:.1f}",
                    row.missed,
                    row.bytes,
                    age(row.latency_ns_max),
                )
                for row in rows
            ],
        )
    )
