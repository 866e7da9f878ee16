"""What the API's answers cost: `python -m benchmarks.api [--requests 10000000] [--instance FOLDER] [PART ...]`.

Parts: `lists` (the list of services and the overview with 1,000 of them, kept and made anew, for strangers and for
somebody who is signed in), `logs` (pages of the request log over ten million requests of two weeks: by every filter,
in either direction, the first ones and deep ones). Times are those of whole answers of gunicorn as a client on this
machine sees them, on a connection that is open. Filling takes about ten minutes and 1.5 GB; `--instance` keeps what was
filled in a folder, to be asked again.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import requests

from benchmarks.checks import row
from benchmarks.rig import Rig
from statusapp.web.admin.cursors import write_cursor
from tests.instance import ROOT
from tests.redis_process import run_redis

PASSWORD = "correct horse battery"
ACCOUNT = f"""
from statusapp.database import write_transaction
from statusapp.domain.enums import Role
from statusapp.extensions import db
from statusapp.clock import utcnow
from statusapp.models import User
from statusapp.services.credentials import hash_password
found = db.session.query(User).count()
db.session.rollback()
if not found:
    with write_transaction(db.session) as session:
        values = dict(email="bench@example.org", role=Role.OWNER, is_active=True, created_at=utcnow())
        session.add(User(password_hash=hash_password({PASSWORD!r}), **values))
"""
FILL = """
from statusapp.clock import utcnow
from statusapp.extensions import db
from statusapp.models import RequestLog
from statusapp.services.request_rollups import roll_up_requests
from benchmarks.tracking_queries import fill
if db.session.query(RequestLog.id).first() is None:
    now = utcnow()
    fill({count}, now)
    roll_up_requests(now)
"""
LISTS = ("/health/api/endpoints/", "/health/api/endpoints/?limit=1000", "/health/api/overview/")
# Of each filter one that much fits, one that little does, and one that nothing does.
FILTERS: tuple[dict[str, str], ...] = (
    {},
    {"route": "/things/7/<id>"},
    {"route": "/things/7/<id>", "method": "DELETE"},
    {"method": "GET"},
    {"method": "DELETE"},
    {"service": "shop"},
    {"service": "nobody's"},
    {"status": "200"},
    {"status": "2"},
    {"status": "404"},
    {"status": "4"},
    {"status": "500"},
    {"status": "5", "method": "DELETE"},
    {"status": "3"},
    {"status": "503"},
    {"status": "500", "route": "/things/7/<id>"},
    {"status": "404", "route": "/things/7/<id>", "method": "DELETE"},
    {"slow": "true"},
    {"slow": "true", "route": "/things/7/<id>"},
    {"slow": "true", "status": "500", "method": "DELETE"},
    {"user": "u77"},
    {"user": "u77", "status": "500"},
    {"user": "nobody"},
)
DEPTHS = (0.02, 0.25, 0.5, 0.75, 0.98)
PAGES_ON = 3
ASKED = 3


def main() -> None:
    """Run the parts and print their tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help="lists, logs; both unless named")
    parser.add_argument("--requests", type=int, default=10_000_000, help="that are logged")
    parser.add_argument("--instance", type=Path, help="a folder for the logged requests, which are kept")
    options = parser.parse_args()
    parts = {"lists": lists, "logs": logs}
    for name in options.parts or parts:
        parts[name](options)


def lists(_options: argparse.Namespace) -> None:
    """A thousand services."""
    for kept in ("0", "0.5"):
        with contextlib.ExitStack() as stack:
            rig = rig_of(stack, PAGE_CACHE_SECONDS=kept)
            command = [str(Path(sys.executable).with_name("flask")), "demo-data", "--endpoints", "1000", "--days", "2"]
            subprocess.run(
                [*command, "--raw-days", "1"], cwd=ROOT, env=rig.environment, check=True, capture_output=True
            )
            headers = serve(rig)
            row(f"1,000 services, PAGE_CACHE_SECONDS={kept}", "")
            for who, shown in (("a stranger", {}), ("signed in", headers)):
                for path in LISTS:
                    times = ask(rig, path, 200, shown)
                    row(f"  {path}, {who}, p50 / p95", f"{times[100]:.1f} / {times[190]:.1f} ms")


def logs(options: argparse.Namespace) -> None:
    """Pages of the request log."""
    with contextlib.ExitStack() as stack:
        kept = {} if options.instance is None else {"INSTANCE_PATH": str(options.instance.resolve())}
        rig = rig_of(stack, **kept)
        began = time.monotonic()
        rig.prepare(FILL.format(count=options.requests))
        row(f"{options.requests:,} logged requests, SQLite, written in {time.monotonic() - began:.0f} s", "")
        headers = serve(rig)
        first, last = ends_of(rig, headers)
        everything: list[list[float]] = []
        one_day = {"since": (last - timedelta(days=9)).isoformat(), "until": (last - timedelta(days=8)).isoformat()}
        for given in FILTERS:
            title = " ".join(f"{name}={value}" for name, value in given.items()) or "all"
            for name, more in (("newest first", {}), ("oldest first", {"sort": "time"}), ("one day", one_day)):
                everything += tell(f"{title}, {name}", list(pages(rig, headers, {**given, **more}, first, last)))
        tell("all, 1,000 at once", list(pages(rig, headers, {"limit": "1000"}, first, last)))
        tell("every page of 100", everything)


def tell(title: str, found: list[list[float]]) -> list[list[float]]:
    """A row about pages, each of which was asked for several times."""
    middles = sorted(statistics.median(times) for times in found)
    worst = max(time for times in found for time in times)
    middle = f"median {statistics.median(middles):.1f}, slowest {middles[-1]:.1f} ms"
    row(f"  {title}: {len(found)} pages", f"{middle}, worst of all asked {worst:.1f} ms")
    return found


def pages(
    rig: Rig, headers: dict[str, str], given: dict[str, str], first: datetime, last: datetime
) -> Iterator[list[float]]:
    """Milliseconds of some pages, each asked for three times: the first ones, and on from marks deep in the log."""
    marks = [None, *(write_cursor((last - (last - first) * depth, 2**62)) for depth in DEPTHS)]
    connection = http.client.HTTPConnection("127.0.0.1", rig.port)
    for mark in marks:
        path = f"/health/api/logs/?{urlencode(given if mark is None else {**given, 'after': mark})}"
        for _ in range(PAGES_ON):
            times = []
            for _ in range(ASKED):
                began = time.perf_counter()
                connection.request("GET", path, headers=headers)
                response = connection.getresponse()
                body = response.read()
                times.append((time.perf_counter() - began) * 1000)
                assert response.status == 200, body
            yield times
            following = json.loads(body)["next"]
            if following is None:
                break
            path = following.partition(str(rig.port))[2]
    connection.close()


def ends_of(rig: Rig, headers: dict[str, str]) -> tuple[datetime, datetime]:
    """When the first and the last request was."""
    first, last = (
        requests.get(f"{rig.address}/health/api/logs/?limit=1&sort={sort}", headers=headers, timeout=60).json()
        for sort in ("time", "-time")
    )
    return tuple(datetime.fromisoformat(page["items"][0]["at"]) for page in (first, last))  # type: ignore[return-value]


def rig_of(stack: contextlib.ExitStack, **environment: str) -> Rig:
    """An instance with an account and a Redis."""
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="statusapp-redis-"))
    redis_url = stack.enter_context(run_redis(Path(folder)))
    rig = Rig(REDIS_URL=redis_url, API_REQUESTS_PER_MINUTE="1000000", TRACK_REQUESTS="false", **environment)
    stack.callback(rig.remove)
    rig.prepare(ACCOUNT)
    return rig


def serve(rig: Rig) -> dict[str, str]:
    """Start the web server alone, and sign in; the headers of a request."""
    server = [str(Path(sys.executable).with_name("gunicorn")), "wsgi:app", "--bind", f"127.0.0.1:{rig.port}"]
    rig.start(*server, "--worker-class", "gthread", "--threads", "4")
    body = {"email": "bench@example.org", "password": PASSWORD}
    token = requests.post(f"{rig.address}/api/v1/auth/login/", json=body, timeout=30).json()["token"]
    return {"Authorization": f"Bearer {token}"}


def ask(rig: Rig, path: str, times: int, headers: dict[str, str]) -> list[float]:
    """Milliseconds of each of some requests one after the other, the quickest first."""
    connection = http.client.HTTPConnection("127.0.0.1", rig.port)
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        response.read()
        assert response.status == 200, response.status
        taken.append((time.perf_counter() - began) * 1000)
    connection.close()
    return sorted(taken)


if __name__ == "__main__":
    main()
