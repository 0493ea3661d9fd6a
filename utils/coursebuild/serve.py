"""Show the site on this machine; build it again when a source changes."""

from __future__ import annotations

import functools
import subprocess
import sys
import threading
import time
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from coursebuild.publish import state

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


def serve(root: Path, port: int = 8000) -> str:
    """Serve ``build/html`` on loopback until Ctrl-C, rebuilding on change.

    ``port`` 0 takes any that is free.
    """
    target, seen = root / "build" / "html", state(root)
    _rebuild(root)
    handler = functools.partial(_Handler, directory=str(target))
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/"
    print(f"Open {address} (Ctrl-C ends it)", flush=True)
    try:
        while True:
            time.sleep(0.5)
            if (now := state(root)) != seen:
                seen = now
                _rebuild(root)
    except KeyboardInterrupt:
        server.shutdown()
    return "Stopped."


def _rebuild(root: Path) -> None:
    """Build in a process of its own, so that edited modules are read anew."""
    subprocess.run([sys.executable, "-m", "coursebuild", "html"], cwd=root, check=False)


class _Handler(SimpleHTTPRequestHandler):
    """Serve files as they are, pages with the few lines that reload them."""

    def do_GET(self) -> None:
        """Answer with a file, or with the name of the site that is in place."""
        path = Path(self.translate_path(self.path))
        path = path / "index.html" if path.is_dir() else path
        if self.path == "/.site":
            self._send(Path(self.directory).resolve().name.encode(), "text/plain")
        elif path.suffix == ".html" and path.exists():
            page = path.read_bytes().replace(b"</body>", RELOAD)
            self._send(page, "text/html; charset=utf-8")
        else:
            super().do_GET()

    def _send(self, data: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Keep quiet: the terminal belongs to the build's messages."""
