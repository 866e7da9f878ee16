"""The messenger as a process: quick, stopped within seconds whatever a receiver does, and made up for when it dies."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from statusapp.services.delivery import DEADLINE_S
from tests.instance import ROOT, Instance, wait_for
from tests.receivers import Answer, Hook, running_hook

INFO, WARNING, CRITICAL = 0, 1, 2
CHANNELS = """
from statusapp.clock import utcnow
from statusapp.services.channels import ChannelDraft, add_channel
from statusapp.domain.enums import Severity
for severity, url in {urls}:
    destination = {{"url": url, "secret": "x" * 16}}
    add_channel(ChannelDraft(url, "webhook", destination, severities=(Severity(severity),)), utcnow())
"""
FIRE = """
from statusapp.clock import now_us
from statusapp.database import write_connection
from statusapp.domain.enums import Severity, Transition
from statusapp.extensions import db
from statusapp.services.outbox import Told, queue
with write_connection(db.engine) as connection:
    queue(connection, [Told(None, (), Transition.FIRED, Severity({severity}), {key!r}, {{"name": "Shop"}})], now_us())
print(now_us())
"""
OVERDUE = """
from statusapp.clock import now_us
from statusapp.database import write_connection
from statusapp.extensions import db
with write_connection(db.engine) as connection:
    connection.exec_driver_sql(f"UPDATE endpoint_state SET due_at = {now_us() - 600_000_000}")
"""


@pytest.fixture
def hook() -> Iterator[Hook]:
    """A receiver that takes everything."""
    with running_hook() as hook:
        yield hook


@pytest.fixture
def instance() -> Iterator[Instance]:
    """An installation of which only the messenger runs."""
    instance = Instance(TRACK_REQUESTS="false")
    yield instance
    instance.remove()


def launch(instance: Instance) -> None:
    """Start the messenger alone, as other supervisors do."""
    with (instance.folder / "log").open("ab") as log:
        instance.process = subprocess.Popen(
            [sys.executable, "worker.py", "messenger"],
            cwd=ROOT, env=instance.environment, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip


def states(instance: Instance) -> list[int]:
    return [row[0] for row in instance.rows("SELECT state FROM alert_delivery ORDER BY id")]


def test_neither_a_message_nor_the_end_waits_for_a_receiver_that_hangs(instance: Instance, hook: Hook) -> None:
    with running_hook() as dead, running_hook() as late:
        dead.answers = late.answers = [Answer(drip=0.1)]
        urls = [(INFO, dead.address), (CRITICAL, hook.address), (WARNING, late.address)]
        instance.prepare(CHANNELS.format(urls=urls))
        launch(instance)
        instance.prepare(FIRE.format(severity=INFO, key="alert-1-fired"))
        wait_for(lambda: dead.requests, 20)
        written = int(instance.prepare(FIRE.format(severity=CRITICAL, key="alert-2-fired"))) / 1e6
        wait_for(lambda: hook.requests, 20)
        assert hook.requests[0].at - written < DEADLINE_S / 2
        instance.prepare(FIRE.format(severity=WARNING, key="alert-3-fired"))
        wait_for(lambda: late.requests, 20)
        # Just now a receiver began to keep it waiting.
        assert instance.stop() < DEADLINE_S - 5
        assert states(instance)[1:] == [1, 0]


def test_what_a_killed_messenger_was_sending_another_one_sends_under_the_same_number(
    instance: Instance, hook: Hook
) -> None:
    hook.answers = [Answer(drip=0.1), Answer(200)]
    instance.prepare(CHANNELS.format(urls=[(CRITICAL, hook.address)]))
    launch(instance)
    instance.prepare(FIRE.format(severity=CRITICAL, key="alert-1-fired"))
    wait_for(lambda: hook.requests, 15)
    instance.stop(signal.SIGKILL)
    launch(instance)
    # The lease of the dead ends in a minute; here it is taken from it.
    instance.prepare(
        "from statusapp.extensions import db\nfrom statusapp.database import write_connection\n"
        "with write_connection(db.engine) as connection:\n"
        "    connection.exec_driver_sql('UPDATE channel_state SET leased_until = 1')"
    )
    wait_for(lambda: states(instance) == [1], 15)
    first, again = hook.requests
    assert first.keys == again.keys
    assert first.headers["Idempotency-Key"] == again.headers["Idempotency-Key"]


def test_that_no_worker_is_there_reaches_a_person_though_no_worker_can_tell(hook: Hook) -> None:
    instance = Instance(TRACK_REQUESTS="false", ALERTING_INTERVAL="10")
    try:
        # The checks of the services that are there from the start have been due for a while.
        instance.prepare(CHANNELS.format(urls=[(CRITICAL, hook.address)]) + OVERDUE)
        launch(instance)
        wait_for(lambda: hook.requests, 60)
        (event,) = json.loads(hook.requests[0].body)["events"]
        assert (event["kind"], event["name"], event["transition"]) == ("monitor", "Checks", "fired")
        assert event["found"].endswith("no worker makes it")
    finally:
        instance.remove()


@pytest.mark.e2e
def test_the_supervisor_runs_one_and_starts_it_again(instance: Instance, hook: Hook) -> None:
    instance.prepare(CHANNELS.format(urls=[(CRITICAL, hook.address)]))
    instance.start()
    wait_for(lambda: instance.named("messenger"), 20)
    first = instance.named("messenger")[0]
    first.kill()
    wait_for(lambda: [process for process in instance.named("messenger") if process.pid != first.pid], 20)
    instance.prepare(FIRE.format(severity=CRITICAL, key="alert-1-fired"))
    wait_for(lambda: states(instance) == [1], 15)
    assert instance.stop() < 15
