"""How punctual the checks are and what they cost: `python -m benchmarks.checks`, about ten minutes.

Lateness is measured at the target: nginx's arrival log against the grid of slots; a slot that was missed is as late
as its interval. Endpoints are made through the product's own service. CPU is that of all processes together.
"""

from __future__ import annotations

import argparse
import sqlite3
import subprocess
import sys
import time
from collections import defaultdict
from dataclasses import dataclass

from benchmarks.rig import Nginx, Rig, Tarpit
from tests.instance import ROOT

CREATE = """
from statusapp.clock import utcnow
from statusapp.extensions import db
from statusapp.models import ServiceEndpoint
from statusapp.services.endpoint_drafts import EndpointDraft
from statusapp.services.endpoints import create_endpoints
from statusapp.database import write_transaction
with write_transaction(db.session) as session:
    for endpoint in session.query(ServiceEndpoint):
        session.delete(endpoint)
create_endpoints([
    EndpointDraft(f"Target {{n}}", {good!r}.format(n=n) if n >= {hanging} else {bad!r}.format(n=n),
                  interval_s={interval}, timeout_ms=min(10000, {interval} * 1000 - 1000), **{more!r})
    for n in range({count})
], utcnow())
db.engine.dispose()
"""


def creation(good: str, run: argparse.Namespace, *, bad: str = "", hanging: int = 0, **more: object) -> str:
    """The code that makes the endpoints: the first `hanging` at the address `bad`, the others at `good`."""
    return CREATE.format(good=good, bad=bad, hanging=hanging, count=run.endpoints, interval=run.interval, more=more)


@dataclass
class Figures:
    """What one run amounts to. Lateness in milliseconds."""

    checks: int
    seconds: float
    missed: int
    p50: float
    p99: float
    worst: float
    cpu_us: float
    pss_mb: float


def main() -> None:
    """Run all parts and print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoints", type=int, default=1000)
    parser.add_argument("--interval", type=int, default=20, help="seconds")
    parser.add_argument("--seconds", type=int, default=180, help="measured time of each part")
    parser.add_argument("--warm-up", type=int, default=45, help="seconds before it")
    options = parser.parse_args()
    nginx = Nginx()
    try:
        rate = options.endpoints / options.interval
        floor_paced = floor(f"http://127.0.0.1:{nginx.port}/floor", rate, int(rate * 20))
        floor_full = floor(f"http://127.0.0.1:{nginx.port}/floor", 0, 20000)
        row("Bare libcurl at the same pace", f"{floor_paced:.0f} µs CPU per probe")
        row("Bare libcurl, 50 at a time", f"{floor_full:.0f} µs CPU per probe")
        healthy_part(nginx, options, floor_paced)
        hanging_part(nginx, options)
    finally:
        nginx.stop()


def healthy_part(nginx: Nginx, options: argparse.Namespace, floor_us: float) -> None:
    """All targets answer; then a restart."""
    instance = Rig()
    try:
        instance.prepare(creation(nginx.address, options))
        instance.start()
        figures = measure(nginx, instance, options, first=0)
        report(f"{options.endpoints} endpoints at {options.interval} s", figures)
        row("  CPU against the floor at the same pace", f"{figures.cpu_us / floor_us:.1f} times")
        row("  Database", f"{bytes_per_check(instance):.0f} bytes per check")
        instance.stop()
        restarted = time.time()
        instance.start()
        row("  After a restart, all checked again", f"{time_to_all(nginx, restarted, options.endpoints):.1f} s")
        instance.stop()
    finally:
        instance.remove()


def hanging_part(nginx: Nginx, options: argparse.Namespace) -> None:
    """Half of the targets never answer; the other half is measured."""
    tarpit = Tarpit()
    instance = Rig()
    try:
        half = options.endpoints // 2
        tarpit_address = f"http://127.0.0.1:{tarpit.port}/e/{{n}}"
        instance.prepare(creation(nginx.address, options, bad=tarpit_address, hanging=half))
        instance.start()
        report(
            f"{half} of {options.endpoints} hang to their 10 s timeout: the others",
            measure(nginx, instance, options, first=half),
        )
        instance.stop()
    finally:
        tarpit.stop()
        instance.remove()


def floor(url: str, rate: float, count: int, authority: str = "") -> float:
    """CPU microseconds of a bare probe, measured in a process of its own.

    Args:
        authority: path of a certificate to trust, for https.
    """
    command = [sys.executable, "-m", "benchmarks.floor", url, str(rate), str(count), authority]
    return float(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)


def measure(nginx: Nginx, instance: Rig, options: argparse.Namespace, first: int) -> Figures:
    """Watch a running instance; the endpoints from number `first` on are judged."""
    time.sleep(options.warm_up)
    begin, begin_cpu = time.time(), instance.cpu_seconds()
    pss = []
    while time.time() - begin < options.seconds:
        time.sleep(min(5.0, max(begin + options.seconds - time.time(), 0.01)))
        pss.append(instance.pss_bytes())
    end, cpu = time.time(), instance.cpu_seconds() - begin_cpu
    time.sleep(options.interval + 2)  # The last slots may still be late by up to an interval.
    lateness, missed = judge(nginx, instance, options.interval, begin, end, first)
    lateness.sort()
    checks = checks_made(instance, begin, end)
    return Figures(
        checks,
        end - begin,
        missed,
        lateness[len(lateness) // 2] * 1000,
        lateness[int(len(lateness) * 0.99)] * 1000,
        lateness[-1] * 1000,
        cpu * 1e6 / max(checks, 1),
        max(pss) / 2**20,
    )


def judge(nginx: Nginx, instance: Rig, interval: int, begin: float, end: float, first: int) -> tuple[list[float], int]:
    """How late each slot of the span was served, in seconds, and how many were not served at all."""
    arrivals: dict[str, list[float]] = defaultdict(list)
    for moment, path in nginx.arrivals():
        arrivals[path].append(moment)
    lateness, missed = [], 0
    grids = instance.rows(
        "SELECT e.name, s.next_check_at FROM service_endpoint e JOIN endpoint_state s ON s.endpoint_id = e.id"
    )
    for name, next_check_at in grids:
        number = int(name.split()[1])
        if number < first:
            continue
        moments = arrivals[f"/e/{number}"]
        slot = next_check_at / 1e6
        slot -= ((slot - begin) // interval) * interval
        while slot < end:
            # nginx's clock has steps of a millisecond, so an arrival may seem to come a little before its slot.
            found = [moment for moment in moments if slot - 0.5 <= moment < slot + interval - 0.5]
            lateness.append(max(found[0] - slot, 0.0) if found else float(interval))
            missed += not found
            slot += interval
    return lateness, missed


def checks_made(instance: Rig, begin: float, end: float) -> int:
    """How many checks were stored for slots of the span."""
    with sqlite3.connect(instance.database) as database:
        query = "SELECT COUNT(*) FROM health_check WHERE slot >= ? AND slot < ?"
        return int(database.execute(query, (int(begin * 1e6), int(end * 1e6))).fetchone()[0])


def bytes_per_check(instance: Rig) -> float:
    """The pages of the table of checks, by the number of its rows."""
    with sqlite3.connect(instance.database) as database:
        rows = database.execute("SELECT COUNT(*) FROM health_check").fetchone()[0]
        pages = database.execute("SELECT SUM(pgsize) FROM dbstat WHERE name = 'health_check'").fetchone()[0]
    return float(pages / rows)


def time_to_all(nginx: Nginx, since: float, endpoints: int) -> float:
    """Seconds from `since` until every endpoint has been asked again."""
    while True:
        seen: dict[str, float] = {}
        for moment, path in nginx.arrivals():
            if moment >= since:
                seen.setdefault(path, moment)
        if len(seen) >= endpoints:
            return max(seen.values()) - since
        time.sleep(0.5)


def report(title: str, figures: Figures) -> None:
    """Print the figures of one run."""
    row(title, "")
    row("  Checks", f"{figures.checks} in {figures.seconds:.0f} s, {figures.checks / figures.seconds:.1f}/s")
    row("  Slots missed", str(figures.missed))
    row("  Lateness p50 / p99 / worst", f"{figures.p50:.1f} / {figures.p99:.1f} / {figures.worst:.1f} ms")
    row("  CPU of all processes", f"{figures.cpu_us:.0f} µs per check")
    row("  Memory of all processes (PSS)", f"{figures.pss_mb:.0f} MB")


def row(title: str, value: str) -> None:
    """Print one line of the table."""
    print(f"{title:<58}{value}", flush=True)


if __name__ == "__main__":
    main()
