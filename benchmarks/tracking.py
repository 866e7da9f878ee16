"""What request tracking costs: `python -m benchmarks.tracking [--seconds 300] [--rounds 7] [PART ...]`. Needs wrk.

Parts: `added` (time per request and throughput of a trivial Flask application under gunicorn, bare against tracked in
the same run, beside flask-monitoringdashboard in an environment of its own), `offered` (2,000 and 10,000 requests a
second offered to the middleware around a null application: what was dropped, and memory), `stored` (2,000 a second
into a running installation: how far its database is behind), `queries` (ten million logged requests, SQLite and
PostgreSQL). All load goes to 127.0.0.1.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import redis
import requests

from benchmarks.checks import row
from benchmarks.rig import Rig
from statusapp.redis_address import socket_path
from statusapp.tracking.wire import STREAM_FIELD, STREAM_KEY, decode_batch
from tests.instance import ROOT, free_port, wait_for
from tests.postgres import run_postgres
from tests.redis_process import run_redis

DASHBOARD = "flask-monitoringdashboard==5.1.0"
CONNECTIONS = 4
WORKERS = {"sync": ("--worker-class", "sync"), "gthread": ("--worker-class", "gthread", "--threads", "4")}
RATES = (2000, 10_000)


def main() -> None:
    """Run the parts and print their tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART")
    parser.add_argument("--seconds", type=float, default=300, help="of offering, at each rate")
    parser.add_argument("--rounds", type=int, default=7, help="of load on each application in turn")
    parser.add_argument("--requests", type=int, default=10_000_000, help="that are logged for the queries")
    parser.add_argument("--round-seconds", type=int, default=3)
    parser.add_argument("--databases", nargs="+", default=["sqlite", "postgresql"], help="that the queries are put to")
    options = parser.parse_args()
    parts: dict[str, Callable[[argparse.Namespace], None]] = {
        "added": added,
        "offered": offered,
        "stored": stored,
        "queries": queries,
    }
    for name in options.parts or parts:
        parts[name](options)


class Stream:
    """The stream's other end: takes what comes in, as the server does, and counts."""

    def __init__(self, url: str) -> None:
        self._client = redis.Redis.from_url(url)
        self.records = self.dropped = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._take)
        self._thread.start()

    def stop(self) -> None:
        """Take the rest and end."""
        self._ended.set()
        self._thread.join()
        self._client.close()

    def _take(self) -> None:
        while True:
            is_last = self._ended.wait(0.5)
            for entry, fields in self._client.xrange(STREAM_KEY):
                batch = decode_batch(fields[STREAM_FIELD.encode()])
                self.records += len(batch.records)
                self.dropped += batch.dropped
                self._client.xdel(STREAM_KEY, entry)
            if is_last:
                return


@contextlib.contextmanager
def stream() -> Iterator[tuple[str, Stream]]:
    """A Redis, its address, and somebody who takes what comes in."""
    with tempfile.TemporaryDirectory() as folder, run_redis(Path(folder)) as url:
        taker = Stream(url)
        try:
            yield url, taker
        finally:
            taker.stop()


def offered(options: argparse.Namespace) -> None:
    """The middleware alone, at steady rates."""
    for rate in RATES:
        with stream() as (url, taker):
            command = [sys.executable, "-m", "benchmarks.tracking_offer", str(rate), str(options.seconds), url]
            done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
        figures = json.loads(done.stdout)
        row(f"{rate:,} requests a second offered, {figures['seconds']:.0f} s, a null application", "")
        row("  Offered", f"{figures['offered']:,}, {figures['offered'] / figures['seconds']:,.0f}/s")
        row("  Arrived, and counted as dropped", f"{taker.records:,} and {taker.dropped:,}")
        row("  Neither", f"{figures['offered'] - taker.records - taker.dropped:,}")
        row("  Memory (RSS) after the first seconds, at the end", _megabytes(figures["rss_begin"], figures["rss_end"]))
        both = zip(figures["times"], figures["bare"], strict=True)
        row(
            "  Added per request, median / p99",
            " / ".join(f"{(with_ - bare) / 1000:.1f}" for with_, bare in both) + " µs",
        )


def stored(options: argparse.Namespace) -> None:
    """A steady rate into an installation as it runs, which checks its own eight endpoints meanwhile."""
    rig = Rig()
    try:
        rig.prepare("pass")
        rig.start()
        rate, url = RATES[0], f"unix://{socket_path(rig.folder)}"
        command = [sys.executable, "-m", "benchmarks.tracking_offer", str(rate), str(options.seconds), url]
        behind = []
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            time.sleep(15)
            while process.poll() is None:
                newest = rig.rows("SELECT MAX(at) FROM api_request_log")[0][0] or 0
                behind.append(time.time() - newest / 1e6)
                time.sleep(1)
            figures = json.loads(process.communicate()[0])
        began = time.monotonic()
        count = (
            "SELECT SUM(count) FROM request_rollup WHERE step_s = 300 AND route_id IN "
            "(SELECT id FROM tracked_route WHERE service = 'benchmark')"
        )
        loss = "SELECT COALESCE(SUM(dropped + unreadable), 0) FROM request_loss"
        wait_for(lambda: (rig.rows(count)[0][0] or 0) + rig.rows(loss)[0][0] >= figures["offered"], 60)
        row(f"{rate:,} requests a second stored, {figures['seconds']:.0f} s, SQLite", "")
        row(
            "  Offered, stored, dropped", f"{figures['offered']:,}, {rig.rows(count)[0][0]:,}, {rig.rows(loss)[0][0]:,}"
        )
        row("  Database behind, median / worst", f"{statistics.median(behind):.1f} / {max(behind):.1f} s")
        row("  All stored after the last one", f"{time.monotonic() - began:.1f} s")
        rig.stop()
    finally:
        rig.remove()


def queries(options: argparse.Namespace) -> None:
    """Many logged requests, and each query of them."""
    for database in options.databases:
        with contextlib.ExitStack() as stack:
            environment = {}
            if database == "postgresql":
                environment["DATABASE_URL"] = stack.enter_context(run_postgres()).create("queries")
            rig = Rig(**environment)
            stack.callback(rig.remove)
            rig.prepare("pass")
            command = [sys.executable, "-m", "benchmarks.tracking_queries", str(options.requests)]
            output = subprocess.run(
                command, cwd=ROOT, env=rig.environment, check=True, stdout=subprocess.PIPE, text=True
            ).stdout
            filled, *answers = map(json.loads, output.splitlines())
            row(f"{options.requests:,} logged requests, {database}, written in {filled['filled_s']:.0f} s", "")
            for answer in answers:
                row(f"  {answer['name']}", f"{answer['worst']:6.1f} ms, first {answer['first']:.1f} ms")


def _megabytes(*sizes: int) -> str:
    return ", ".join(f"{size / 2**20:.1f} MB" for size in sizes)


@dataclass
class Server:
    """One application under gunicorn, and its rounds: requests a second, median and p99 of each in nanoseconds, and the
    CPU of all its processes and threads per request, likewise."""

    name: str
    port: int
    process: subprocess.Popen[bytes]
    rates: list[float] = field(default_factory=list)
    medians: list[int] = field(default_factory=list)
    p99s: list[int] = field(default_factory=list)
    cpus: list[int] = field(default_factory=list)

    def load(self, seconds: int) -> None:
        """One round."""
        address = f"http://127.0.0.1:{self.port}"
        requests.get(f"{address}/-/times", timeout=30)
        command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", f"{address}/hello/you"]
        before = self._cpu_ns()
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        times = sorted(requests.get(f"{address}/-/times", timeout=30).json())
        self.cpus.append((self._cpu_ns() - before) // len(times))
        self.rates.append(float(re.findall(r"Requests/sec: +([\d.]+)", output)[0]))
        self.medians.append(times[len(times) // 2])
        self.p99s.append(times[int(len(times) * 0.99)])

    def _cpu_ns(self) -> int:
        root = psutil.Process(self.process.pid)
        times = [process.cpu_times() for process in (root, *root.children(recursive=True))]
        return int(sum(found.user + found.system for found in times) * 1e9)


def added(options: argparse.Namespace) -> None:
    """A trivial Flask application, bare and watched, under gunicorn; one after the other, round by round."""
    if shutil.which("wrk") is None:
        sys.exit("The benchmark needs wrk: apt-get install wrk")
    with tempfile.TemporaryDirectory() as folder, stream() as (url, _):
        pairs = [("bare", "tracked", sys.executable)]
        try:
            pairs.append(("bare", "dashboard", dashboard_python(Path(folder))))
        except subprocess.CalledProcessError as error:
            row("flask-monitoringdashboard", f"could not be installed: {error.stderr.strip().splitlines()[-1:]}")
        for kind, arguments in WORKERS.items():
            with contextlib.ExitStack() as stack:
                compare(kind, arguments, pairs, url, options, stack)


def dashboard_python(folder: Path) -> str:
    """The Python of an environment with flask-monitoringdashboard, made for this run."""
    environment = folder / "environment"
    python = str(environment / "bin" / "python")
    # Its own pins are old; what it needs of others is what pip finds for it.
    for command in (
        [sys.executable, "-m", "venv", str(environment)],
        [
            python,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            DASHBOARD,
            "gunicorn",
            "setuptools<81",
        ],
        [python, "-c", "import flask_monitoringdashboard"],
    ):
        subprocess.run(command, check=True, capture_output=True, text=True, cwd=folder)
    return python


def compare(
    kind: str,
    arguments: tuple[str, ...],
    pairs: list[tuple[str, str, str]],
    url: str,
    options: argparse.Namespace,
    stack: contextlib.ExitStack,
) -> None:
    """The rounds of one kind of worker, and their rows: each application against the bare one in its environment."""
    started = []
    for bare, watched, python in pairs:
        try:
            started.append(tuple(serve(stack, python, name, arguments, url) for name in (bare, watched)))
        except (RuntimeError, TimeoutError) as error:
            row(f"{watched} under gunicorn, {kind} worker", f"did not start: {error}")
    for number in range(options.rounds):
        for pair in started:
            # By turns each is the first, for who comes after the other finds the machine otherwise.
            for server in pair if number % 2 else reversed(pair):
                server.load(options.round_seconds)
    for bare, watched in started:
        row(f"{watched.name} against bare, gunicorn, one {kind} worker, {options.rounds} rounds", "")
        row("  Time in the application, bare, median / p99", f"{_us(bare.medians)} / {_us(bare.p99s)} µs")
        row(
            "  Added per request, median / p99",
            f"{_added_us(bare.medians, watched.medians)} / {_added_us(bare.p99s, watched.p99s)} µs",
        )
        row("  CPU per request, bare, added", f"{_us(bare.cpus)}, {_added_us(bare.cpus, watched.cpus)} µs")
        ratios = [with_ / without for with_, without in zip(watched.rates, bare.rates, strict=True)]
        row("  Requests a second, bare and watched", f"{_median(bare.rates):.0f} and {_median(watched.rates):.0f}")
        row("  Throughput against bare", f"{(statistics.median(ratios) - 1) * 100:+.1f} %")


def serve(stack: contextlib.ExitStack, python: str, name: str, arguments: tuple[str, ...], url: str) -> Server:
    """Start one application under gunicorn, to be ended with `stack`."""
    port = free_port()
    folder = stack.enter_context(tempfile.TemporaryDirectory())
    command = [python, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--workers", "1", "--log-level", "critical"]
    environment = {**os.environ, "REDIS_URL": url, "PYTHONPATH": str(ROOT)}
    with (Path(folder) / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, *arguments, f"benchmarks.tracking_apps:{name}"],
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=log,
        )
    stack.callback(process.wait, 30)
    stack.callback(process.terminate)

    def is_up() -> bool:
        if process.poll() is not None:
            raise RuntimeError((Path(folder) / "log").read_text().strip()[-300:])
        return requests.get(f"http://127.0.0.1:{port}/hello/you", timeout=5).ok

    wait_for(is_up, 60)
    return Server(name, port, process)


def _median(values: list[float]) -> float:
    return statistics.median(values)


def _us(nanoseconds: list[int]) -> str:
    return f"{statistics.median(nanoseconds) / 1000:.1f}"


def _added_us(bare: list[int], watched: list[int]) -> str:
    """The median over the rounds of how much more it was than for the bare application just before."""
    return f"{statistics.median(b - a for a, b in zip(bare, watched, strict=True)) / 1000:.1f}"


if __name__ == "__main__":
    main()
