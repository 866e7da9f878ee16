"""The main job on real input: start as the README says, see everything operational, stop a target, see it go down."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.instance import ROOT, Instance, wait_for
from tests.target import Target

pytestmark = pytest.mark.e2e
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture
def instance() -> Iterator[Instance]:
    """An installation that does not exist yet."""
    instance = Instance()
    yield instance
    instance.remove()


def status_page(instance: Instance) -> dict[str, object]:
    """The page as JSON."""
    page: dict[str, object] = requests.get(f"{instance.address}/health/status-page-api/", timeout=10).json()
    return page


def run(command: list[str], environment: dict[str, str], text: str = "") -> subprocess.CompletedProcess[str]:
    """Run a program of the product's to its end."""
    return subprocess.run(
        command, cwd=ROOT, env=environment, input=text, capture_output=True, text=True, timeout=60, check=False
    )


def flask(instance: Instance, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
    """Run one of the product's commands as an operator does."""
    program = str(Path(sys.executable).with_name("flask"))
    return run([program, *arguments], instance.environment, text)


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")
def test_from_make_run_to_an_outage_on_the_page(instance: Instance) -> None:
    sync_api = pytest.importorskip("playwright.sync_api")
    instance.start("make", "--no-print-directory", "run")
    wait_for(lambda: status_page(instance)["counts"]["operational"] == 8, 60)
    wait_for(lambda: "First account:" in instance.log, 10)
    target = Target()
    try:
        added = flask(
            instance,
            "add_endpoint",
            "Shop",
            f"{target.address}/shop",
            "--interval",
            "5",
            "--timeout",
            "2",
            "--retries",
            "1",
        )
        assert (added.returncode, added.stdout) == (0, f"Added Shop: GET {target.address}/shop every 5 s.\n")
        wait_for(lambda: status_page(instance)["counts"]["operational"] == 9, 20)
        with sync_api.sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            page = browser.new_page()
            problems: list[str] = []
            page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
            page.on("pageerror", lambda error: problems.append(str(error)))
            page.goto(f"{instance.address}/health/status-page/")
            assert "All Systems Operational" in page.inner_text("body")
            assert re.search(r"9/9\s+services operational", page.inner_text("body"))
            target.stop()
            # The page follows by itself; it is loaded again only to not wait for its refresh.
            wait_for(lambda: status_page(instance)["counts"]["operational"] == 8, 30)
            page.reload()
            assert "Partial System Outage" in page.inner_text("body")
            assert "Major Outage" in page.inner_text("body")
            assert problems == []
            browser.close()
    finally:
        if target._thread.is_alive():
            target.stop()
    checked = flask(instance, "run_health_checks", "--endpoint", "Shop")
    assert checked.returncode == 1
    assert re.search(r"Shop +down +- ", checked.stdout)
    assert instance.stop(signal.SIGINT) < 15
    wait_for(lambda: not instance.leftovers(), 15)
    assert "Traceback" not in instance.log


def test_a_second_start_finds_its_data(instance: Instance) -> None:
    instance.start()
    link = re.search(r"First account: +(\S+)", wait_for_log(instance, "First account:"))
    assert link is not None
    assert requests.get(link[1], timeout=10).status_code == 200
    made = flask(instance, "create_admin", "--email", "me@example.org", text="correct horse battery\n" * 2)
    assert made.returncode == 0, made.stderr
    assert instance.stop() < 15
    instance.start()
    wait_for_log(instance, "Status page:", times=2)
    assert instance.log.count("First account:") == 1
    wait_for(lambda: status_page(instance)["counts"]["operational"] == 8, 30)
    assert instance.stop() < 15


def wait_for_log(instance: Instance, text: str, times: int = 1) -> str:
    """Wait until the log has `text` so many times; returns the log."""
    wait_for(lambda: instance.log.count(text) >= times, 20)
    return instance.log


def test_two_installations_run_side_by_side_and_one_folder_is_for_one(instance: Instance) -> None:
    other = Instance()
    try:
        instance.start()
        other.start()
        wait_for(lambda: status_page(instance)["counts"]["operational"] == 8, 60)
        wait_for(lambda: status_page(other)["counts"]["operational"] == 8, 60)
        program = [sys.executable, "-m", "statusapp"]
        for changes, message in (
            (
                {"PORT": str(other.port), "INSTANCE_PATH": str(other.folder / "third")},
                f"PORT={other.port} cannot be used",
            ),
            ({"INSTANCE_PATH": str(other.folder)}, "is in use by process"),
            ({"PORT": "http"}, "PORT='http' cannot be used: it must be a whole number"),
        ):
            refused = run(program, instance.environment | changes)
            assert refused.returncode in (1, 2)
            assert message in refused.stderr
            assert refused.stderr.count("\n") == 1
        assert other.stop() < 15
        assert instance.stop() < 15
    finally:
        other.remove()


def test_a_private_redis_works_in_a_folder_with_a_long_name(instance: Instance) -> None:
    deep = instance.folder / ("d" * 60) / ("e" * 60)
    instance.environment["INSTANCE_PATH"] = str(deep)
    try:
        instance.start()
        report = requests.get(f"{instance.address}/health/", timeout=10).json()
        assert report["checks"]["redis:responseTime"][0]["status"] == "pass"
    finally:
        assert instance.stop() < 15


def test_without_a_database_the_start_ends_with_one_line(instance: Instance) -> None:
    environment = instance.environment | {"DATABASE_URL": "postgresql://nobody:hunter2@127.0.0.1:1/none"}
    refused = run([sys.executable, "-m", "statusapp"], environment)
    assert refused.returncode == 1
    assert refused.stderr.startswith("The database cannot be prepared: ")
    assert "hunter2" not in refused.stderr
    assert "Traceback" not in refused.stderr
    assert os.path.exists(instance.folder)
    assert instance.leftovers() == []
