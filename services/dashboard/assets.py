"""The page's own files and the chart library's one, read once, with what a browser may keep.

Impure: reads files of installed packages, nothing else. Of plotly only its JavaScript is used; the
Python side of it is not imported.
"""

import gzip
import hashlib
import importlib.util
from pathlib import Path

import msgspec

STATIC = Path(__file__).parent / "static"
TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
CHARTS = "plotly.min.js"
TAG_BYTES = 8


class Asset(msgspec.Struct, frozen=True):
    """One file as it is served.

    Attributes:
        tag: Quoted, for `If-None-Match`.
    """

    content_type: str
    content: bytes
    gzipped: bytes
    tag: str


def own_assets() -> dict[str, Asset]:
    """Return the page's own files by their path."""
    found = {
        f"/{path.name}": asset(path.read_bytes(), TYPES[path.suffix])
        for path in sorted(STATIC.iterdir())
        if path.suffix in TYPES
    }
    found["/"] = found.pop("/index.html")
    return found


def chart_library() -> Asset | None:
    """Return the chart library, None where it is not installed; takes a third of a second."""
    spec = importlib.util.find_spec("plotly")
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / "package_data" / CHARTS
    return asset(path.read_bytes(), TYPES[".js"]) if path.is_file() else None


def asset(content: bytes, content_type: str) -> Asset:
    """Make a file ready to be served."""
    tag = hashlib.blake2b(content, digest_size=TAG_BYTES).hexdigest()
    return Asset(content_type, content, gzip.compress(content, 6, mtime=0), f'"{tag}"')
