"""Where things are in the repository, for the tests of its arrangement."""

from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def modules(*packages: str) -> list[Path]:
    """Return every module of the packages, sorted."""
    return sorted(path for package in packages for path in (ROOT / package).rglob("*.py"))


def name_of(path: Path) -> str:
    """Return a path as the tests name it: relative to the root."""
    return str(path.relative_to(ROOT))


def services() -> list[str]:
    """Return the names of all services, sorted."""
    return sorted(
        path.name for path in (ROOT / "services").iterdir() if (path / "__init__.py").is_file()
    )


def packages() -> list[str]:
    """Return every package of ours, dotted and sorted."""
    found = [
        path.parent.relative_to(ROOT)
        for package in ("bus", "ops", "services", "shared")
        for path in (ROOT / package).rglob("__init__.py")
    ]
    return sorted(str(path).replace("/", ".") for path in found)
