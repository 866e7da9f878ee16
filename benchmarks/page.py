"""What the public page costs: `python -m benchmarks.page [PART ...]`, about ten minutes. Needs nginx, wrk, Chromium.

Parts: `served` (100 services with 90 days: server time of page and JSON, made anew and kept, and requests a second on
one core), `flood` (1,000 endpoints are checked while page and JSON are asked for as fast as they are given), `weight`
(bytes of a first visit over the wire with 8 and 100 services, and how much the page moves while it loads), `lighthouse`
(its scores, with a copy of Chart.js on this server; needs npm).

Times are those of whole answers as a client on this machine sees them, on a connection that is open.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from benchmarks.checks import creation, judge, row
from benchmarks.rig import Nginx, Rig
from config import CHART_JS_URL
from tests.instance import ROOT
from tests.redis_process import run_redis
from tests.web.browsing import CDN_HEADERS, CHART_JS, CHROMIUM

PAGE, DATA = "/health/status-page/", "/health/status-page-api/"
LIGHTHOUSE = "lighthouse@12.8.2"
CATEGORIES = ("performance", "accessibility", "best-practices")
# Alternately the page and its data, as browsers ask for them.
MIXED = f"""
local paths, place = {{ "{PAGE}", "{DATA}" }}, 0
request = function()
  place = place + 1
  return wrk.format("GET", paths[place % 2 + 1], {{ ["Accept-Encoding"] = "gzip" }})
end
"""
# Layout shifts before the reader does anything: https://web.dev/articles/cls
SHIFTS = """
window.shift = 0;
new PerformanceObserver((list) => { for (const entry of list.getEntries()) window.shift += entry.value; })
  .observe({ type: "layout-shift", buffered: true });
"""


def main() -> None:
    """Run the parts and print their tables."""
    parts = {"served": served, "flood": flood, "weight": weight, "lighthouse": lighthouse}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=[*parts, []], help="all of them unless named")
    options = parser.parse_args()
    if shutil.which("wrk") is None:
        sys.exit("The benchmark needs wrk: apt-get install wrk")
    for name in options.parts or parts:
        parts[name]()


def served() -> None:
    """100 services with 90 days of history."""
    for kept in ("0", "0.5"):
        with showing(100, PAGE_CACHE_SECONDS=kept) as rig:
            row(f"100 services, 90 days, PAGE_CACHE_SECONDS={kept}", "")
            for path in (PAGE, DATA):
                times = ask(rig, path, 400)
                row(f"  {path} p50 / p95", f"{times[200]:.1f} / {times[380]:.1f} ms")
            if kept != "0":
                rate, latency = load(rig.address, 15)
                row("  page and JSON by turns, on one core", f"{rate:.0f}/s, p99 {latency}")


def flood() -> None:
    """The page is flooded while 1,000 endpoints are checked every 20 s."""
    nginx, rig = Nginx(), Rig()
    try:
        rig.prepare(creation(nginx.address, argparse.Namespace(endpoints=1000, interval=20)))
        rig.start()
        time.sleep(45)
        begin = time.time()
        rate, latency = load(rig.address, 60)
        end = time.time()
        time.sleep(22)
        lateness, missed = judge(nginx, rig, 20, begin, end, 0)
        found = sorted(lateness)
        p50, p99 = (found[int(len(found) * share)] * 1000 for share in (0.5, 0.99))
        row("1,000 endpoints at 20 s under a flood of the page", f"{rate:.0f}/s, p99 {latency}")
        row("  lateness of checks p50 / p99 / worst", f"{p50:.1f} / {p99:.1f} / {found[-1] * 1000:.1f} ms")
        row("  slots missed", f"{missed} of {len(found)}")
        rig.stop()
    finally:
        nginx.stop()
        rig.remove()


def weight() -> None:
    """A first visit, without Chart.js, which comes from elsewhere."""
    for count in (8, 100):
        with showing(count) as rig, sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            for name, width, height in (("desktop", 1280, 800), ("phone", 375, 667)):
                size, shift = visit(browser, rig.address, width, height)
                row(f"{count} services, {name}: over the wire, layout shift", f"{size / 1000:.1f} kB, {shift:.3f}")
            browser.close()


def visit(browser: Any, address: str, width: int, height: int) -> tuple[int, float]:
    """Bytes of all answers of this server, headers included, and the layout shift of a first visit."""
    page = browser.new_context(viewport={"width": width, "height": height}).new_page()
    sizes: list[int] = []
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.on("Network.loadingFinished", lambda event: sizes.append(int(event["encodedDataLength"])))
    # What a route fulfils has come over no wire, so it adds nothing.
    page.route(CHART_JS_URL, lambda route: route.fulfill(path=CHART_JS, headers=CDN_HEADERS))
    page.add_init_script(SHIFTS)
    page.goto(address + PAGE)
    page.wait_for_timeout(2000)
    shift = float(page.evaluate("window.shift"))
    page.context.close()
    return sum(sizes) - CHART_JS.stat().st_size * (max(sizes) >= CHART_JS.stat().st_size), shift


def lighthouse() -> None:
    """Lighthouse's scores of the page with 8 services, as a phone and as a desktop."""
    folder = Path(tempfile.mkdtemp(prefix="statusapp-lighthouse-"))
    copy = ROOT / "statusapp" / "static" / "chart-copy.js"
    try:
        subprocess.run(["npm", "install", "--silent", "--no-fund", "--no-audit", LIGHTHOUSE], cwd=folder, check=True)
        shutil.copy(CHART_JS, copy)
        with showing(8, CHART_JS_URL="/static/chart-copy.js") as rig:
            for preset in ("", "--preset=desktop"):
                scores = judged(folder, rig.address + PAGE, preset)
                row(f"Lighthouse, {'desktop' if preset else 'phone'}", ", ".join(scores))
    finally:
        copy.unlink(missing_ok=True)
        shutil.rmtree(folder)


def judged(folder: Path, url: str, preset: str) -> list[str]:
    """The scores, 0 to 100, and the audits that cost any."""
    report = folder / "report.json"
    program, categories = folder / "node_modules/.bin/lighthouse", ",".join(CATEGORIES)
    command = [str(program), url, "--output=json", f"--output-path={report}", "--quiet", *preset.split()]
    command += [f"--only-categories={categories}", "--chrome-flags=--headless=new --no-sandbox"]
    subprocess.run(command, check=True, env={**os.environ, "CHROME_PATH": str(CHROMIUM)})
    found = json.loads(report.read_text())
    scores = [f"{name} {round(found['categories'][name]['score'] * 100)}" for name in CATEGORIES]
    lost = [key for key, audit in found["audits"].items() if audit["score"] is not None and audit["score"] < 0.9]
    return [*scores, f"below 0.9: {' '.join(sorted(lost)) or 'nothing'}"]


@contextlib.contextmanager
def showing(count: int, **environment: str) -> Iterator[Rig]:
    """The web server alone, on one core, over made-up services with 90 days of history."""
    with contextlib.ExitStack() as stack:
        redis_url = stack.enter_context(run_redis(Path(tempfile.mkdtemp(prefix="statusapp-redis-"))))
        rig = Rig(REDIS_URL=redis_url, **environment)
        stack.callback(rig.remove)
        command = [str(Path(sys.executable).with_name("flask")), "demo-data", "--days", "90", "--raw-days", "1"]
        subprocess.run(
            [*command, "--endpoints", str(count)], cwd=ROOT, env=rig.environment, check=True, capture_output=True
        )
        server = [str(Path(sys.executable).with_name("gunicorn")), "wsgi:app", "--bind", f"127.0.0.1:{rig.port}"]
        rig.start(*server, "--worker-class", "gthread", "--threads", "8")
        for process in rig.processes():
            for thread in process.threads():
                os.sched_setaffinity(thread.id, {0})
        yield rig


def ask(rig: Rig, path: str, times: int) -> list[float]:
    """Milliseconds of each of some requests one after the other, the quickest first."""
    connection = http.client.HTTPConnection("127.0.0.1", rig.port)
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        connection.request("GET", path, headers={"Accept-Encoding": "gzip"})
        response = connection.getresponse()
        response.read()
        assert response.status == 200, response.status
        taken.append((time.perf_counter() - began) * 1000)
    connection.close()
    return sorted(taken)


def load(address: str, seconds: int) -> tuple[float, str]:
    """Requests a second that were answered well, and wrk's 99th percentile of their latency."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(MIXED)
        script.flush()
        command = ["taskset", "-c", "1", "wrk", "-t1", "-c8", f"-d{seconds}s", "--latency", "-s", script.name, address]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert "Non-2xx" not in output, output
    return float(re.findall(r"Requests/sec:\s+([\d.]+)", output)[0]), re.findall(r"99%\s+(\S+)", output)[0]


if __name__ == "__main__":
    main()
