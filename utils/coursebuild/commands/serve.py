"""Show the site on this machine; build it again when a source changes."""

from __future__ import annotations

import errno
import functools
import html
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from coursebuild.commands.warm import Warm
from coursebuild.publishing.publish import State, state

__all__ = ["serve"]

PAUSE = 0.1  # seconds between two looks at the sources
# In each open page; the site itself is published without it, and lets no other script
# run than those that are files of it.
RELOAD = b'<script src="/.reload.js"></script></body>'
RELOADS = b"""{
  let seen;
  setInterval(async () => {
    const now = await fetch("/.site").then((r) => r.text()).catch(() => seen);
    if (seen && now !== seen) location.reload();
    seen = now;
  }, 250);
}
"""
FAULT = b"""<dialog open role="alert" style="position: fixed; inset: auto 1rem 1rem;
max-height: 60vh; overflow: auto; z-index: 999; border: 3px solid #c00; width: auto;
background: #fff; color: #000"><form method="dialog"><button>Close</button></form>
<p>This is the former site; the sources have faults:</p>
<pre style="white-space: pre-wrap">{}</pre></dialog>"""


def serve(root: Path, port: int = 8000) -> str:
    """Serve ``build/html`` on loopback until Ctrl-C, rebuilding on change.

    A ``port`` that is taken gives way to the next that is free; 0 takes any.  What
    is wrong is shown in the browser, too.
    """
    target, seen = root / "build" / "html", state(root)
    warm = Warm(root)
    try:
        fault = _Fault(warm.build())
        handler = functools.partial(_Handler, fault, directory=str(target))
        server = _listen(port, handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/"
        print(f"Open {address} (Ctrl-C ends it)", flush=True)
        while True:
            seen = _changed(root, seen)
            fault.text = warm.build()
    except KeyboardInterrupt:
        pass
    finally:
        warm.stop()
    return "Stopped."


def _changed(root: Path, seen: State) -> State:
    """Wait until the sources differ from what was ``seen`` and rest; return how.

    An editor may write a file beside and move it: one look would see half of that.
    """
    before, pause = seen, PAUSE
    while True:
        time.sleep(pause)
        start = time.monotonic()
        with suppress(FileNotFoundError):  # it went while we looked
            now = state(root)
            if seen != now == before:
                return now
            before = now
        pause = max(PAUSE, 20 * (time.monotonic() - start))  # leave the processor free


@dataclass
class _Fault:
    """What is wrong with the sources as they are; nothing where the site is current."""

    text: str


def _listen(port: int, handler: Any) -> ThreadingHTTPServer:
    """Return a server at a port, or at the next of a hundred that is free.

    Raises:
        OSError: none of them is free.
    """
    for candidate in range(port, port + 100):
        try:
            server = ThreadingHTTPServer(("127.0.0.1", candidate), handler)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or candidate == port + 99:
                raise
        else:
            if candidate != port:
                print(f"Port {port} is taken, perhaps by another `make serve`.")
            return server
    raise AssertionError


class _Handler(SimpleHTTPRequestHandler):
    """Serve files as they are, pages with the few lines that reload them."""

    def __init__(self, fault: _Fault, *args: Any, **options: Any) -> None:
        self._fault = fault  # first: the rest answers at once
        super().__init__(*args, **options)

    def do_GET(self) -> None:
        """Answer with a file, or with the name of the site that is in place."""
        path = Path(self.translate_path(self.path))
        path = path / "index.html" if path.is_dir() else path
        if self.path == "/.site":
            name = Path(self.directory).resolve().name
            state = f"{name} {hash(self._fault.text)}"
            self._send(state.encode(), "text/plain")
        elif self.path == "/.reload.js":
            self._send(RELOADS, "text/javascript")
        elif path.suffix == ".html" and path.exists():
            page = path.read_bytes().replace(b"</body>", self._told() + RELOAD)
            self._send(page, "text/html; charset=utf-8")
        elif self.path in ("/", "/index.html"):  # no site yet
            page = b"<!doctype html><title>No site yet</title><body></body>"
            page = page.replace(b"</body>", self._told() + RELOAD)
            self._send(page, "text/html; charset=utf-8")
        else:
            super().do_GET()

    def _told(self) -> bytes:
        """Return what is wrong, to be seen above whatever the page shows."""
        text = html.escape(self._fault.text.strip())
        return FAULT.replace(b"{}", text.encode()) if text else b""

    def _send(self, data: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Keep quiet: the terminal belongs to the build's messages."""
