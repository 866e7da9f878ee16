"""What the benchmarks stand on: nginx as the target, an instance of the product, and readings of its processes."""

from __future__ import annotations

import asyncio
import multiprocessing
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil

from tests.instance import Instance, free_port, wait_for
from tests.probes.certificates import Authority

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
    server {{ listen 127.0.0.1:{port} backlog=4096; {tls} location / {{ return 200 "ok"; }} }}
}}
"""
TLS = "ssl_certificate {folder}/server.pem; ssl_certificate_key {folder}/server.pem; ssl_session_tickets off;"


class Nginx:
    """A target that answers at once and notes each arrival. With `tls`, `authority` is the file to trust."""

    def __init__(self, *, tls: bool = False) -> None:
        if shutil.which("nginx") is None:
            sys.exit("The benchmark needs nginx as its target: apt-get install nginx")
        self.port = free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="statusapp-nginx-"))
        config = self._folder / "nginx.conf"
        listen = f"{self.port} ssl" if tls else self.port
        text = NGINX_CONFIG.format(folder=self._folder, port=listen, tls=TLS.format(folder=self._folder) if tls else "")
        config.write_text(text)
        self.address = f"http{'s' if tls else ''}://127.0.0.1:{self.port}/e/{{n}}"
        self.authority = self._folder / "authority.pem"
        if tls:
            authority = Authority()
            self.authority.write_text(authority.pem)
            certificate = authority.issue()
            (self._folder / "server.pem").write_text(certificate.pem + certificate.key_pem)
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


class Rig(Instance):
    """An instance whose processes are measured."""

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
