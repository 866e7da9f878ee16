"""What the operator's pages cost: `python -m benchmarks.admin [--quick] [--instance FOLDER]`, about twenty minutes.

1,000 services with 90 days of history, ten million single checks and a million logged requests on SQLite; then every
page of the dashboard and of the admin area is asked for in turns, with the ranges and pages that there are. Times are
those of the application, without a server around it; statements are those of one answer, beside those of an
installation with 10 services.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.checks import row
from benchmarks.rig import Rig
from tests.instance import ROOT

REQUESTS = 1_000_000
# Asks for each page and prints a line of JSON with its milliseconds and its number of statements.
MEASURE = """
import json, statistics, sys, time
from sqlalchemy import event, text
from config import load_settings
from statusapp import create_app
from statusapp.clock import utcnow
from statusapp.database import write_transaction
from statusapp.domain.enums import Role
from statusapp.extensions import db
from statusapp.models import User
from statusapp.services.credentials import hash_password
from statusapp.services.sessions import sign_in
app = create_app(load_settings())
statements = []
with app.app_context():
    if not db.session.query(User).count():
        with write_transaction(db.session) as session:
            session.add(User(email="bench@example.org", password_hash=hash_password("correct horse battery"),
                             role=Role.OWNER, is_active=True, created_at=utcnow()))
    db.session.rollback()
    token = sign_in("bench@example.org", "correct horse battery", utcnow()).token
    one = db.session.execute(text("SELECT id FROM service_endpoint WHERE is_enabled ORDER BY id LIMIT 1")).scalar()
    check = db.session.execute(text("SELECT MAX(slot) FROM health_check WHERE endpoint_id = :id"), {"id": one}).scalar()
    db.session.rollback()
    event.listen(db.engine, "before_cursor_execute", lambda c, cur, statement, *_: statements.append(statement))
paths = ["/dashboard/"] + [f"/dashboard/?range={name}" for name in ("1h", "6h", "7d", "30d", "90d")]
paths += [f"/dashboard/services/{one}/"] + [f"/dashboard/services/{one}/?span={name}" for name in ("7d", "30d", "90d")]
health = "/admin/health/"
paths += ["/admin/", health] + [health + name for name in (
    "serviceendpoint/", "serviceendpoint/?q=shop", "serviceendpoint/?sort=-checked", "serviceendpoint/?status=degraded",
    f"serviceendpoint/{one}/", "serviceendpoint/add/", "servicegroup/", "healthcheck/", "healthcheck/?outcome=failed",
    f"healthcheck/?service={one}", f"healthcheck/{one}/{check}/", "systemmetrics/", "apirequestlog/",
    "apirequestlog/?status=500", "apirequestlog/?slow=yes", "serviceincident/", "serviceincident/add/", "maintenance/",
    "maintenance/add/", "channel/", "rule/", "messagetext/", "report/", "statuspagesettings/", "account/", "audit/",
)] + ["/auth/account/"]
client = app.test_client()
with client.session_transaction() as session:
    session["_user_id"], session["_fresh"] = token, True
for path in paths:
    times, codes = [], set()
    for number in range(int(sys.argv[1]) + 1):
        statements.clear()
        began = time.perf_counter()
        answer = client.get(path, headers={"Accept": "text/html"})
        answer.get_data()
        times.append((time.perf_counter() - began) * 1000)
        codes.add(answer.status_code)
    warm = sorted(times[1:])
    print(json.dumps({"path": path, "codes": sorted(codes), "median": statistics.median(warm),
                      "p95": warm[int(len(warm) * 0.95)], "statements": len(statements)}), flush=True)
"""
FILL = f"""
from statusapp.clock import utcnow
from statusapp.extensions import db
from statusapp.models import RequestLog
from statusapp.services.request_rollups import roll_up_requests
from benchmarks.tracking_queries import fill
if db.session.query(RequestLog.id).first() is None:
    now = utcnow()
    db.session.rollback()
    fill({REQUESTS}, now)
    roll_up_requests(now)
"""


def main() -> None:
    """Fill what is not filled yet, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the services, to try the benchmark itself")
    parser.add_argument("--instance", type=Path, help="a folder that is kept, to ask again without filling")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        large = filled(options.instance or Path(folder) / "large", 100 if options.quick else 1000, 7)
        small = filled(Path(folder) / "small", 10, 1)
        few = {found["path"].split("?")[0]: found["statements"] for found in measured(small, 1)}
        row("page", "median / p95, statements (with 10 services)")
        for found in measured(large, 20):
            beside = few.get(str(found["path"]).split("?")[0], "?")
            text = f"{found['median']:.0f} / {found['p95']:.0f} ms, {found['statements']} ({beside})"
            row(f"  {found['path']}", text if found["codes"] == [200] else f"{text}, answers {found['codes']}")


def filled(folder: Path, services: int, raw_days: int) -> Rig:
    """An installation in a folder, with made-up history and logged requests."""
    rig = Rig(INSTANCE_PATH=str(folder), CHECK_RETENTION_DAYS="90", HOUR_RETENTION_DAYS="90")
    rig.remove()
    rig.folder = folder
    if not (folder / "statusapp.sqlite3").exists():
        options = ["--endpoints", str(services), "--days", "90", "--raw-days", str(raw_days)]
        command = [str(Path(sys.executable).with_name("flask")), "demo-data", *options]
        subprocess.run(command, cwd=ROOT, env=rig.environment, check=True, stdout=subprocess.DEVNULL)
    rig.prepare(FILL)
    checks = rig.rows("SELECT COUNT(*) FROM health_check")[0][0]
    row(f"{services} services, {REQUESTS:,} logged requests: checks", f"{checks:,}")
    return rig


def measured(rig: Rig, times: int) -> list[dict[str, object]]:
    """What each page costs, asked for so many times after a first one."""
    command = [sys.executable, "-c", MEASURE, str(times)]
    answer = subprocess.run(command, cwd=ROOT, env=rig.environment, check=True, stdout=subprocess.PIPE, text=True)
    return [json.loads(line) for line in answer.stdout.splitlines()]


if __name__ == "__main__":
    main()
