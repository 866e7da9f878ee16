"""A real Chromium before the application: served from a thread, seen in a window whose clock the test moves."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from werkzeug.serving import make_server

from config import CHART_JS_URL

PAGE = "/health/status-page/"
CHART_JS = Path(__file__).parent / "vendor" / "chart-4.6.1.umd.min.js"
CDN_HEADERS = {"Content-Type": "text/javascript", "Access-Control-Allow-Origin": "*"}
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

# What a file with browser tests has as its `pytestmark`.
BROWSER_MARKS = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine"),
]


@contextmanager
def serving(app: Flask) -> Iterator[None]:
    """Serve the application from a thread, on the port of its settings."""
    server = make_server("127.0.0.1", app.config["SETTINGS"].port, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def opened(
    chromium: Any, app: Flask, path: str = PAGE, *, has_cdn: bool = True, **options: Any
) -> Iterator[tuple[Any, list[str]]]:
    """A page in a fresh window with a clock that the test moves, and what the console says.

    Args:
        chromium: the browser.
        app: the application that is being served.
        path: of the page.
        has_cdn: whether Chart.js can be fetched. It is the file as its publisher has it, which stands in for the
            network; the browser checks it against the page's hash.
        options: of the window, as Playwright's `new_context` takes them.
    """
    context = chromium.new_context(**options)
    page, console = context.new_page(), []
    page.on("console", lambda message: console.append(message.text))
    page.on("pageerror", lambda error: console.append(str(error)))
    if has_cdn:
        page.route(CHART_JS_URL, lambda route: route.fulfill(path=CHART_JS, headers=CDN_HEADERS))
    else:
        page.route(CHART_JS_URL, lambda route: route.abort())
    if options.get("java_script_enabled", True):
        page.clock.install()
    page.goto(f"http://127.0.0.1:{app.config['SETTINGS'].port}{path}")
    try:
        yield page, console
    finally:
        context.close()


def violations(page: Any) -> list[str]:
    """What axe-core finds wrong with a page: rule, and where."""
    found = Axe().run(page).response["violations"]
    return [f"{rule['id']}: {node['target']} {node['failureSummary']}" for rule in found for node in rule["nodes"]]
