"""The outbox: who is told of what, once, and when the message may go out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from statusapp.database import write_connection
from statusapp.domain.enums import Severity, Transition
from statusapp.domain.instants import SECOND, from_us
from statusapp.extensions import db
from statusapp.services.channels import ChannelDraft, add_channel, set_enabled
from statusapp.services.outbox import Told, queue
from tests.world import T0, World


def channel(name: str, **values: Any) -> int:
    destination = {"url": "http://127.0.0.1:1/", "secret": "x" * 16}
    return add_channel(ChannelDraft(name, "webhook", destination, **values), from_us(T0))


def alert(world: World, number: int, endpoint_id: int | None = None) -> int:
    world.execute(
        "INSERT INTO alert (id, kind, subject, name, endpoint_id, severity, since, fired_at, found, reminders, "
        "is_flapping) VALUES (:id, 0, :subject, 'x', :endpoint_id, 2, 0, 0, '', 0, false)",
        id=number, subject=f"endpoint:{number}", endpoint_id=endpoint_id,
    )  # fmt: skip
    return number


def told(
    alert_id: int | None,
    transition: Transition = Transition.FIRED,
    severity: Severity = Severity.CRITICAL,
    endpoint_id: int | None = None,
    key: str | None = None,
) -> Told:
    key = key or f"alert-{alert_id}-{transition.word}"
    services = () if endpoint_id is None else (endpoint_id,)
    return Told(alert_id, services, transition, severity, key, {"name": "Shop", "found": "HTTP 502"})


def put(*given: Told, now: int = T0) -> int:
    with write_connection(db.engine) as connection:
        return queue(connection, given, now)


def keys(world: World) -> list[str]:
    return [row.key for row in world.rows("SELECT key FROM alert_delivery ORDER BY id")]


@contextmanager
def statements() -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    yield seen
    event.remove(db.engine, "before_cursor_execute", note)


def test_a_message_for_each_channel_and_never_twice(world: World) -> None:
    first, second = channel("A"), channel("B")
    alert(world, 1)
    assert put(told(1)) == 2
    assert put(told(1), now=T0 + SECOND) == 0
    assert keys(world) == [f"alert-1-fired-{first}", f"alert-1-fired-{second}"]
    assert world.scalar("SELECT COUNT(*) FROM channel_state WHERE due_at = :due", due=T0 + SECOND) == 2


def test_without_channels_nothing_is_written(world: World) -> None:
    alert(world, 1)
    assert put(told(1)) == 0


def test_only_the_severities_of_a_channel(world: World) -> None:
    channel("Pager", severities=(Severity.CRITICAL,))
    alert(world, 1)
    alert(world, 2)
    assert put(told(1, severity=Severity.WARNING), told(2, severity=Severity.CRITICAL)) == 1
    assert keys(world)[0].startswith("alert-2")


def test_groups_and_tags_choose_services(world: World) -> None:
    shop = world.add("Shop", group="Front", tags=("money",))
    api = world.add("API", group="Back")
    by_group, by_tag = channel("Front", groups=("Front",)), channel("Money", tags=("money",))
    either = channel("Either", groups=("Back",), tags=("money",))
    for number in (1, 2, 3):
        alert(world, number)
    put(told(1, endpoint_id=shop), told(2, endpoint_id=api), told(3, endpoint_id=None))
    assert sorted(keys(world)) == sorted(
        [f"alert-1-fired-{by_group}", f"alert-1-fired-{by_tag}", f"alert-1-fired-{either}", f"alert-2-fired-{either}"]
    )


def test_what_follows_goes_to_those_who_were_told(world: World) -> None:
    all_of_it, pager = channel("All"), channel("Pager", severities=(Severity.CRITICAL,))
    alert(world, 1)
    put(told(1, severity=Severity.WARNING))
    later = channel("Later")
    put(told(1, Transition.RESOLVED, Severity.WARNING))
    assert keys(world) == [f"alert-1-fired-{all_of_it}", f"alert-1-resolved-{all_of_it}"]
    assert pager != later


def test_who_begins_to_be_concerned_by_a_reminder_hears_of_the_end_too(world: World) -> None:
    everything, pager = channel("All"), channel("Pager", severities=(Severity.CRITICAL,))
    alert(world, 1)
    put(told(1, severity=Severity.WARNING))
    put(told(1, Transition.REMINDED, Severity.CRITICAL, key="alert-1-reminded-1"))
    put(told(1, Transition.RESOLVED, Severity.CRITICAL))
    assert keys(world)[1:] == [
        f"alert-1-reminded-1-{everything}", f"alert-1-reminded-1-{pager}",
        f"alert-1-resolved-{everything}", f"alert-1-resolved-{pager}",
    ]  # fmt: skip


def test_begun_and_ended_in_one_transaction_both_are_told_in_order(world: World) -> None:
    only = channel("A")
    alert(world, 1)
    assert put(told(1), told(1, Transition.RESOLVED)) == 2
    assert keys(world) == [f"alert-1-fired-{only}", f"alert-1-resolved-{only}"]


def test_reports_go_to_the_channels_for_reports(world: World) -> None:
    channel("Alerts")
    reports = channel("Reports", sends_reports=True, sends_alerts=False)
    alert(world, 1)
    put(told(None, Transition.REPORT, Severity.INFO, key="report-2026-11-25"))
    put(told(1, key="alert-1-fired"))
    assert f"report-2026-11-25-{reports}" in keys(world)
    assert len([key for key in keys(world) if key.endswith(f"-{reports}")]) == 1


def test_a_channel_that_is_off_is_told_nothing_even_what_waited(world: World) -> None:
    only = channel("A")
    alert(world, 1)
    put(told(1))
    set_enabled(only, False, from_us(T0))
    assert put(told(1, Transition.RESOLVED)) == 0
    assert world.scalar("SELECT state FROM alert_delivery") == 4
    assert world.scalar("SELECT due_at FROM channel_state") is None


@pytest.mark.parametrize(
    ("last_sent", "due", "failures", "expected"),
    [
        (None, None, 0, T0 + SECOND),
        (T0 - 30 * SECOND, None, 0, T0 + SECOND),
        (T0 - 10 * SECOND, None, 0, T0 + 20 * SECOND),
        (None, T0 + SECOND // 2, 0, T0 + SECOND // 2),
        (None, T0 + 3600 * SECOND, 0, T0 + SECOND),
        (None, T0 + 300 * SECOND, 3, T0 + 300 * SECOND),
    ],
)  # fmt: skip
def test_when_it_may_go_out(world: World, last_sent: int, due: int, failures: int, expected: int) -> None:
    """At once after a silence, after the pause otherwise; sooner than the end of quiet hours, not than a backoff's."""
    channel("A")
    alert(world, 1)
    world.execute(
        "UPDATE channel_state SET last_sent_at = :last, due_at = :due, failures = :failures",
        last=last_sent, due=due, failures=failures,
    )  # fmt: skip
    put(told(1))
    assert world.scalar("SELECT due_at FROM channel_state") == expected


def test_a_channel_without_a_state_gets_one(world: World) -> None:
    channel("A")
    alert(world, 1)
    world.execute("DELETE FROM channel_state")
    put(told(1))
    assert world.scalar("SELECT due_at FROM channel_state") == T0 + SECOND


def test_a_thousand_at_once_cost_no_more_statements_than_one(world: World) -> None:
    channel("A")
    channel("B", groups=(), tags=("money",))
    with write_connection(db.engine) as connection:
        for number in range(1, 1001):
            connection.exec_driver_sql(
                "INSERT INTO alert (id, kind, subject, name, severity, since, fired_at, found, reminders, is_flapping) "
                f"VALUES ({number}, 0, 'endpoint:{number}', 'x', 2, 0, 0, '', 0, false)"
            )
    with statements() as seen:
        assert put(*(told(number, endpoint_id=number) for number in range(1, 1001))) == 1000
    assert len([statement for statement in seen if not statement.startswith("BEGIN")]) <= 8


def test_it_is_undone_with_its_transaction(world: World) -> None:
    channel("A")
    alert(world, 1)
    with db.engine.connect() as plain, plain.begin() as transaction:
        queue(plain, [told(1)], T0)
        transaction.rollback()
    assert keys(world) == []
    assert world.scalar("SELECT due_at FROM channel_state") is None
