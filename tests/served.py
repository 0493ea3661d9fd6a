"""Serve a site below a sub-path as GitHub Pages does: with 404.html for the rest."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any

from gzipped import Server

__all__ = ["BELOW", "served"]

BELOW = "/some/where/"


class _Pages(SimpleHTTPRequestHandler):
    """Answer with 404.html, and its status, for every address that has no file."""

    def send_error(self, code: int, *more: Any) -> None:
        page = Path(self.directory, *BELOW.split("/"), "404.html")
        if code != 404 or not page.exists():
            return super().send_error(code, *more)
        data = page.read_bytes()
        self.send_response(404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        return None

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@contextmanager
def served(top: Path) -> Iterator[str]:
    """Serve ``top`` on loopback; yield the address of what lies in ``BELOW``."""
    handler = functools.partial(_Pages, directory=str(top))
    server = Server(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}{BELOW}"
    server.shutdown()
    server.server_close()
    thread.join()
