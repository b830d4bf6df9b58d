"""A coverage-guided search for inputs that end a core: `guided.py INPUTS SEED FOLDER`.

libFuzzer keeps every input that reaches a line which none had reached, and makes new ones of
those. The first byte of an input names the feed, the rest are its lines. Cores live for some
inputs, so that an input meets what others have left; when something breaks, all lines since
the core began are written beside the corpus, and `replay` takes them again.
Source: https://github.com/google/atheris (3.0.0).
"""

import sys
import types
from pathlib import Path
from random import Random

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))
# Some installed package calls itself `tests` too, and would be found first.
_tests = types.ModuleType("tests")
_tests.__path__ = [str(ROOT / "tests")]
sys.modules["tests"] = _tests

import atheris  # noqa: E402

with atheris.instrument_imports(include=["services.feed", "services.state", "shared.venue"]):
    from shared.venue.wire import encode
    from tests.fuzz.cores import ANSWER, Driven
    from tests.fuzz.frames import BODIES, SESSIONS, texts
    from tests.fuzz.mutations import mutate

SOURCES = tuple(sorted(SESSIONS))
INPUTS_A_CORE = 40
LINES_MAX = 12
INPUT_BYTES_MAX = 8_192
BYTES_PERCENT = 40
"""Of the new inputs, those that libFuzzer makes by changing bytes; the others change frames."""


class Search:
    """The cores that live now, and what they were told."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._driven: dict[str, tuple[Driven, list[str], int]] = {}
        self.proofs = 0

    def take(self, data: bytes) -> None:
        """Feed one input; whatever it breaks is written down and raised."""
        if not data:
            return
        source = SOURCES[data[0] % len(SOURCES)]
        if source not in self._driven:
            self._driven[source] = (Driven(source), [], 0)
        driven, history, count = self._driven.pop(source)
        lines = data[1:].decode(errors="replace").split("\n")[:LINES_MAX]
        for line in lines:
            history.append(line)
            try:
                driven.line(line)
            except BaseException:
                text = "\n".join([source, *history])
                (self._folder / "history.txt").write_text(text, encoding="utf-8")
                raise
        self.proofs += driven.judge.proofs
        driven.judge.proofs = 0
        if count + 1 < INPUTS_A_CORE:
            self._driven[source] = (driven, history, count + 1)


def seeds() -> list[bytes]:
    """Return each frame alone, and each session as a whole."""
    found = []
    for number, source in enumerate(SOURCES):
        answers = [ANSWER + encode(body).decode() for body in BODIES[source]]
        told = texts(source) if source != "discovery" else []
        begin = ["PONG"] if source in ("market", "user") else []
        every = [[*begin, *answers], [*begin, *told[:6]], *([line] for line in (*told, *answers))]
        found += [bytes([number]) + "\n".join(lines).encode() for lines in every]
    return found


def mutated(data: bytes, size_max: int, seed: int) -> bytes:
    """Return a new input of an old one: bytes by libFuzzer, frames by ours."""
    chance = Random(seed)
    if chance.randrange(100) < BYTES_PERCENT or len(data) < 2:
        return bytes(atheris.Mutate(data, size_max))
    lines = data[1:].decode(errors="replace").split("\n")
    place = chance.randrange(len(lines))
    line = lines[place]
    mark = ANSWER if line.startswith(ANSWER) else ""
    lines[place] = (mark + mutate(line.removeprefix(mark), chance)).replace("\n", " ")
    if chance.random() < 0.2:
        lines.insert(chance.randrange(len(lines) + 1), chance.choice(lines))
    return (data[:1] + "\n".join(lines).encode(errors="replace"))[:size_max]


def replay(text: str) -> None:
    """Take the lines of a written history again."""
    source, *lines = text.split("\n")
    driven = Driven(source)
    for line in lines:
        driven.line(line)


def main() -> None:
    """Search; the process ends with status 0 when the inputs are used up."""
    inputs, seed, folder = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    history = folder / "history.txt"
    if history.exists():
        replay(history.read_text(encoding="utf-8"))
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(seeds()):
        (corpus / f"seed-{number:03d}").write_bytes(data)
    search = Search(folder)
    flags = [f"-runs={inputs}", f"-seed={seed}", f"-max_len={INPUT_BYTES_MAX}", "-timeout=20"]
    flags += ["-print_final_stats=1", "-rss_limit_mb=2048", f"-artifact_prefix={folder}/"]
    arguments = [sys.argv[0], *flags, str(corpus)]
    atheris.Setup(arguments, search.take, custom_mutator=mutated)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
