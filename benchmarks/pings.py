"""How many pings a second one core takes: `python -m benchmarks.pings`. Needs wrk.

The web process of a real instance on SQLite, with all its threads, is pinned to one core and loaded with wrk. Every
ping is committed before it is answered; all are counted in the database afterwards.
"""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import sys
import time

from benchmarks.checks import row
from benchmarks.rig import Rig

SECONDS = 15
CONNECTIONS = 8
CREATE = """
from statusapp.clock import utcnow
from statusapp.extensions import db
from statusapp.services.endpoint_drafts import EndpointDraft
from statusapp.services.endpoints import create_endpoint, ping_path
print("PATH", ping_path(create_endpoint(EndpointDraft("Job", "heartbeat:", interval_s=60), utcnow())))
db.engine.dispose()
"""


def main() -> None:
    """Run the benchmark and print its table."""
    if shutil.which("wrk") is None:
        sys.exit("The benchmark needs wrk: apt-get install wrk")
    instance = Rig()
    try:
        path = re.findall(r"PATH (\S+)", instance.prepare(CREATE))[0]
        instance.start()
        web = instance.named("web")
        for process in web:
            for thread in process.threads():
                os.sched_setaffinity(thread.id, {0})
        url = instance.address + path
        load(url, 3)
        before, began, cpu = count(instance), time.monotonic(), sum(sum(p.cpu_times()[:2]) for p in web)
        answered, failed = load(url, SECONDS)
        seconds = time.monotonic() - began
        cpu = sum(sum(p.cpu_times()[:2]) for p in web) - cpu
        stored = count(instance) - before
        row("Pings answered and stored", f"{answered} and {stored} in {seconds:.0f} s, {failed} failed")
        row("  A second, web on one core", f"{stored / seconds:.0f}/s")
        row("  CPU of the web process", f"{cpu * 1e6 / max(stored, 1):.0f} µs per ping")
        instance.stop()
    finally:
        instance.remove()


def load(url: str, seconds: int) -> tuple[int, int]:
    """Load an address; how many requests were answered, and how many of them not well."""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", url]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", output)
    return int(re.findall(r"(\d+) requests in", output)[0]), int(failed[1]) if failed else 0


def count(instance: Rig) -> int:
    """How many pings are stored."""
    with sqlite3.connect(instance.database) as database:
        return int(database.execute("SELECT COUNT(*) FROM heartbeat_ping").fetchone()[0])


if __name__ == "__main__":
    main()
