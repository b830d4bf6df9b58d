"""The index of the runbooks: `python -m ops.runbook_index > ops/runbooks/README.md`."""

import sys
from pathlib import Path

RUNBOOKS = Path(__file__).parent / "runbooks"
INDEX = "README.md"

INTRODUCTION = """\
# Runbooks

For whoever is woken at night: what it means, what the system has done by itself, what is yours
to do, and what ends it. `interlock switches` and every alert name the page. First of all:
`interlock status`. In doubt: `interlock halt`; when nothing answers: `interlock panic`.
"""


def pages(directory: Path = RUNBOOKS) -> dict[str, str]:
    """Return the text of every page by its name without the suffix, the index left out."""
    return {
        path.stem: path.read_text(encoding="utf-8")
        for path in sorted(directory.glob("*.md"))
        if path.name != INDEX
    }


def render(directory: Path = RUNBOOKS) -> str:
    """Return the index: one line a page, by its own title."""
    lines = [INTRODUCTION]
    for name, text in pages(directory).items():
        title = text.partition("\n")[0].removeprefix("# ")
        lines.append(f"* [{title}]({name}.md)")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(render())
