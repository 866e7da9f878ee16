"""A real Redis for tests, on a socket in a temporary folder."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from statusapp.supervisor.redis_server import find_server, wait_until_ready


@contextmanager
def run_redis(folder: Path) -> Iterator[str]:
    """Start the server that the product would start; gives its address."""
    socket = folder / "r.sock"
    process = subprocess.Popen(
        [find_server(), "--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(folder)],
        stdout=subprocess.DEVNULL,
    )
    try:
        wait_until_ready(socket)
        yield f"unix://{socket}"
    finally:
        process.terminate()
        process.wait(5)
