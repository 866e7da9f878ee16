"""What the benchmarks stand on: nginx as the target, an instance of the product, and readings of its processes."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import requests

ROOT = Path(__file__).resolve().parent.parent
NGINX_CONFIG = """
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
worker_rlimit_nofile 20000;
events {{ worker_connections 10000; }}
http {{
    log_format arrival '$msec $request_time $uri';
    access_log {folder}/arrivals.log arrival;
    client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
    uwsgi_temp_path {folder}; scgi_temp_path {folder};
    server {{ listen 127.0.0.1:{port} backlog=4096; location / {{ return 200 "ok"; }} }}
}}
"""


def free_port() -> int:
    """A port of this machine that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Nginx:
    """A target that answers at once and notes each arrival."""

    def __init__(self) -> None:
        if shutil.which("nginx") is None:
            sys.exit("The benchmark needs nginx as its target: apt-get install nginx")
        self.port = free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="statusapp-nginx-"))
        config = self._folder / "nginx.conf"
        config.write_text(NGINX_CONFIG.format(folder=self._folder, port=self.port))
        self._process = subprocess.Popen(["nginx", "-c", str(config)], stderr=subprocess.DEVNULL)
        wait_for(lambda: socket.create_connection(("127.0.0.1", self.port), 1).close() is None, 10)

    def arrivals(self) -> list[tuple[float, str]]:
        """When each request began, in seconds since the epoch to the millisecond, and its path."""
        rows = []
        for line in (self._folder / "arrivals.log").read_text().splitlines():
            ended, took, path = line.split(" ", 2)
            rows.append((float(ended) - float(took), path))
        return rows

    def stop(self) -> None:
        """Stop nginx and remove its files."""
        self._process.terminate()
        self._process.wait(10)
        shutil.rmtree(self._folder)


class Tarpit:
    """A target that accepts and never answers."""

    def __init__(self) -> None:
        self.port = free_port()
        self._process = multiprocessing.get_context("spawn").Process(target=_hang, args=(self.port,), daemon=True)
        self._process.start()
        wait_for(lambda: socket.create_connection(("127.0.0.1", self.port), 1).close() is None, 10)

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.join(10)


def _hang(port: int) -> None:
    async def serve() -> None:
        async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while await reader.read(65536):
                pass
            writer.close()

        server = await asyncio.start_server(swallow, "127.0.0.1", port, backlog=4096)
        await server.serve_forever()

    asyncio.run(serve())


class Instance:
    """The product, started as its README says, with an instance of its own."""

    def __init__(self, **environment: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="statusapp-bench-"))
        self.port = free_port()
        self.environment = {
            **os.environ,
            "INSTANCE_PATH": str(self.folder),
            "PORT": str(self.port),
            "LOG_LEVEL": "WARNING",
            **environment,
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.folder / "statusapp.sqlite3"

    def prepare(self, code: str) -> None:
        """Set the database up and run `code` in the product's application context."""
        script = (
            "from config import load_settings\nfrom statusapp import create_app\n"
            "from statusapp.services.installation import prepare\n"
            "settings = load_settings()\nprepare(settings)\n"
            f"with create_app(settings).app_context():\n{_indent(code)}"
        )
        subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=self.environment, check=True)

    def start(self) -> None:
        """Start everything and wait for the web to answer."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "statusapp"], cwd=ROOT, env=self.environment, stdout=subprocess.DEVNULL
        )
        wait_for(lambda: requests.get(f"http://127.0.0.1:{self.port}/health/live", timeout=1).ok, 30)

    def stop(self) -> None:
        """Stop everything in order."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(20)

    def remove(self) -> None:
        """Remove the instance's files."""
        shutil.rmtree(self.folder)

    def processes(self) -> list[psutil.Process]:
        """The supervisor and all below it."""
        assert self._process is not None
        root = psutil.Process(self._process.pid)
        return [root, *root.children(recursive=True)]

    def cpu_seconds(self) -> float:
        """CPU time of all processes that are or were, user and system."""
        total = 0.0
        for process in self.processes():
            try:
                total += sum(process.cpu_times()[:4])
            except psutil.NoSuchProcess:
                continue  # It ended between the listing and the reading; its parent counts it from now on.
        return total

    def pss_bytes(self) -> int:
        """Proportional set size of all processes: shared memory is counted once."""
        total = 0
        for process in self.processes():
            try:
                text = Path(f"/proc/{process.pid}/smaps_rollup").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue
            total += next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")) * 1024
        return total


def wait_for(ready, seconds: float) -> None:  # type: ignore[no-untyped-def]
    """Wait until `ready()` is true; connection errors count as not yet."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if ready():
                return
        except (OSError, requests.RequestException):
            pass  # Not up yet.
        time.sleep(0.05)
    raise TimeoutError("it did not become ready in time")


def _indent(code: str) -> str:
    return "\n".join(f"    {line}" for line in code.splitlines())
