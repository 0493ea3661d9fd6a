"""Serve a folder on loopback as GitHub Pages does: text compressed with gzip."""

import gzip
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

PLAIN = (".woff2", ".png", ".webp", ".zip", ".whl")  # compressed by themselves


@contextmanager
def gzipped(folder: Path) -> Iterator[str]:
    """Serve ``folder`` while the context lasts; give its address."""
    handler = partial(_Handler, directory=str(folder))
    server = Server(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


@cache
def _packed(path: Path) -> bytes:
    return gzip.compress(path.read_bytes(), 6, mtime=0)


class Server(ThreadingHTTPServer):
    """Answer a browser, which asks for much at once and may leave before it has it."""

    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Tell of an error, but not of a page that was closed meanwhile."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer with a compressed file, cached by the browser for ten minutes."""
        path = Path(self.translate_path(self.path))
        path = path / "index.html" if path.is_dir() else path
        if not path.is_file():
            return self.send_error(404)
        packed = path.suffix not in PLAIN
        body = _packed(path) if packed else path.read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", _kind(self.guess_type(str(path))))
        if packed:
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "max-age=600")
        self.end_headers()
        self.wfile.write(body)
        return None

    def log_message(self, *_: object) -> None:
        """Keep quiet: the terminal belongs to the tests."""


def _kind(guessed: str) -> str:
    return f"{guessed}; charset=utf-8" if guessed.startswith("text/") else guessed
