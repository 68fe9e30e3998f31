"""Static files: read once, packed once, named by what they hold so that browsers keep them."""

import gzip
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import PurePosixPath

from fastapi import Request, Response

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".toml": "text/plain; charset=utf-8",
    ".woff2": "font/woff2",
}
PACKED = {".css", ".js", ".svg", ".txt"}
COMMENT = re.compile(rb"^ *(//.*|/\*\*.*\*/)\n", re.MULTILINE)
"""A line of JavaScript that is only a comment: for readers of the source, not of the page."""

FOREVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """One file as it is sent."""

    body: bytes
    packed: bytes | None
    """The same as gzip, where that pays."""
    media_type: str
    etag: str


class Assets:
    """Every file of a folder, under addresses that change when any of them changes.

    One digest stands for all files, so that modules and style sheets find each other by relative
    addresses, without a build step.
    """

    def __init__(self, folder: Traversable | None = None) -> None:
        found = dict(_walk(folder or files("dashboards") / "assets"))
        digest = hashlib.sha256()
        for path, body in sorted(found.items()):
            digest.update(f"{path}\0{len(body)}\0".encode() + body)
        self.digest = digest.hexdigest()[:12]
        self._assets = {path: _asset(path, body) for path, body in found.items()}

    def url(self, path: str) -> str:
        """The address of one file.

        Raises:
            KeyError: there is no such file.
        """
        if path not in self._assets:
            raise KeyError(f"no asset {path!r}")
        return f"/assets/{self.digest}/{path}"

    def answer(self, request: Request, digest: str, path: str) -> Response:
        """The file, `304` for a browser that has it, `404` for one that is not (any more) there."""
        asset = self._assets.get(path)
        if asset is None or digest != self.digest:
            return Response("No such file.\n", 404, {"cache-control": "no-store"}, "text/plain")
        headers = {"cache-control": FOREVER, "etag": asset.etag, "vary": "accept-encoding"}
        if asset.etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        body = asset.body
        if asset.packed and "gzip" in request.headers.get("accept-encoding", ""):
            body = asset.packed
            headers["content-encoding"] = "gzip"
        return Response(body, headers=headers, media_type=asset.media_type)


def _walk(folder: Traversable, prefix: str = "") -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        path = f"{prefix}{entry.name}"
        if entry.is_dir():
            yield from _walk(entry, f"{path}/")
        elif PurePosixPath(path).suffix in TYPES:
            body = entry.read_bytes()
            yield path, COMMENT.sub(b"", body) if path.endswith(".js") else body


def _asset(path: str, body: bytes) -> Asset:
    suffix = PurePosixPath(path).suffix
    return Asset(
        body=body,
        packed=gzip.compress(body, mtime=0) if suffix in PACKED else None,
        media_type=TYPES[suffix],
        etag=f'"{hashlib.sha256(body).hexdigest()[:32]}"',
    )
