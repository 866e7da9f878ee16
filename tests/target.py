"""A service to be monitored: a real HTTP server that notes when each path was asked for."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Target:
    """Listens from the beginning; `arrivals` are instants of the wall clock in seconds, by path."""

    def __init__(self, port: int = 0) -> None:
        self.arrivals: dict[str, list[float]] = defaultdict(list)
        self.delay_s = 0.0
        target = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                target.arrivals[self.path].append(time.time())
                time.sleep(target.delay_s)
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *_args: Any) -> None:
                """Say nothing."""

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_args: Any) -> None:
                """A prober that was killed has closed its connection."""

        self._server = Server(("127.0.0.1", port), Handler)
        self.port = self._server.server_address[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def stop(self) -> None:
        """Close the port and end."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
