"""Show the site on this machine; build it again when a source changes."""

from __future__ import annotations

import errno
import functools
import html
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from coursebuild.publishing.publish import state

__all__ = ["serve"]

# Asked by each open page; the site itself is published without it.
RELOAD = b"""<script>
let seen;
setInterval(async () => {
  const now = await fetch("/.site").then((r) => r.text()).catch(() => seen);
  if (seen && now !== seen) location.reload();
  seen = now;
}, 700);
</script></body>"""
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
    fault = _Fault(_rebuild(root))
    handler = functools.partial(_Handler, fault, directory=str(target))
    server = _listen(port, handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/"
    print(f"Open {address} (Ctrl-C ends it)", flush=True)
    try:
        while True:
            time.sleep(0.5)
            if (now := state(root)) != seen:
                seen = now
                fault.text = _rebuild(root)
    except KeyboardInterrupt:
        server.shutdown()
    return "Stopped."


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


def _rebuild(root: Path) -> str:
    """Build in a process of its own, which reads edited modules anew; return faults."""
    command = [sys.executable, "-m", "coursebuild", "html"]
    done = subprocess.run(
        command, cwd=root, check=False, stderr=subprocess.PIPE, encoding="utf-8"
    )
    print(done.stderr, end="", file=sys.stderr, flush=True)
    return (done.stderr or "The build failed.") if done.returncode else ""


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
