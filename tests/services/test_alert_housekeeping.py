"""Alerts that are old go, and a restored database tells nobody of what was then."""

from __future__ import annotations

from statusapp.database import write_connection
from statusapp.domain.enums import DeliveryState, Outcome, Status
from statusapp.domain.instants import SECOND, from_us
from statusapp.domain.values import ProbeResult
from statusapp.extensions import db
from statusapp.services import retention
from statusapp.services.restore_settling import settle
from statusapp.services.results import Finished, apply_results
from tests.world import MINUTE, T0, World

DAY = 24 * 60 * MINUTE


def open_alert(world: World, endpoint_id: int, subject: str, resolved_at: int | None = None) -> None:
    """An alert that fired at T0."""
    world.execute(
        "INSERT INTO alert (kind, subject, name, endpoint_id, severity, since, fired_at, found, reminders, "
        "is_flapping, resolved_at) VALUES (0, :subject, 'Shop', :id, 2, "
        ":now, :now, '', 0, false, CAST(:resolved_at AS BIGINT))",
        subject=subject, id=endpoint_id, now=T0, resolved_at=resolved_at,
    )  # fmt: skip


def test_alerts_are_deleted_a_year_after_their_end_and_never_before_it(world: World) -> None:
    shop = world.add(at=T0)
    for subject, resolved_at in (("old", T0), ("recent", T0 + 2 * DAY), ("open", None)):
        open_alert(world, shop, subject, resolved_at)
    assert "1 alerts" in retention.clean_up(from_us(T0 + 366 * DAY))
    rows = world.rows("SELECT subject FROM alert ORDER BY subject")
    assert [row.subject for row in rows] == ["open", "recent"]


def test_after_a_restore_nothing_is_told_of_what_was_then(world: World) -> None:
    shop = world.add(at=T0)
    world.check(T0)
    open_alert(world, shop, f"endpoint:{shop}")
    world.execute(
        "INSERT INTO notification_channel (id, name, kind, target, severities, groups, tags, sends_alerts, "
        "sends_reports, is_enabled, created_at, updated_at) VALUES (1, 'Ops', 'webhook', '', 7, '[]', '[]', true, "
        "false, true, '2026-01-01 00:00:00', '2026-01-01 00:00:00')"
    )
    world.execute("INSERT INTO channel_state (channel_id, due_at, fence, failures) VALUES (1, :now, 0, 3)", now=T0)
    world.execute(
        "INSERT INTO alert_delivery (channel_id, transition, severity, key, created_at, state, attempts, data) "
        "VALUES (1, 0, 2, 'alert-1-fired-1', :now, 2, 3, '{}')",
        now=T0,
    )
    settle(from_us(T0 + 7 * DAY))
    assert world.state(shop).status == Status.UNKNOWN
    assert world.scalar("SELECT resolved_at FROM alert") == T0 + 7 * DAY
    assert world.scalar("SELECT state FROM alert_delivery") == DeliveryState.SKIPPED
    assert world.rows("SELECT due_at, failures FROM channel_state") == [(None, 0)]


def test_an_alert_about_a_service_that_is_still_known_stays_open(world: World) -> None:
    shop = world.add(at=T0)
    world.check(T0)
    open_alert(world, shop, f"endpoint:{shop}")
    settle(from_us(T0 + 30 * SECOND))
    assert world.scalar("SELECT resolved_at FROM alert") is None


def test_the_end_of_a_certificate_is_kept_until_a_handshake_says_otherwise(world: World) -> None:
    shop = world.add(at=T0)
    for ends, expected in ((T0 + 9 * DAY, T0 + 9 * DAY), (None, T0 + 9 * DAY), (T0 + 99 * DAY, T0 + 99 * DAY)):
        now = world.state(shop).due_at
        ((claim, _, policy),) = world.claim(now)
        result = ProbeResult(now, Outcome.OK, status_code=200, certificate_expires_at=ends)
        with write_connection(db.engine) as connection:
            apply_results(connection, [Finished(claim, policy, result)], now)
        assert world.state(shop).certificate_expires_at == expected
