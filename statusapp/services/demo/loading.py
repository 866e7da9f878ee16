"""The use case: fill a fresh installation with services and their history."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from config import Settings
from statusapp.database import write_connection, write_transaction
from statusapp.domain.blocks import STEPS_S
from statusapp.domain.enums import Outcome, Rule
from statusapp.domain.errors import DomainError
from statusapp.domain.instants import MILLISECOND, from_us, to_us
from statusapp.domain.values import Policy
from statusapp.extensions import db
from statusapp.models import (
    EndpointState,
    HealthCheck,
    MetricHost,
    ServiceEndpoint,
    ServiceGroup,
    StatusChangeRow,
    SystemMetric,
)
from statusapp.models.check import HERE
from statusapp.queries.watermarks import LATENCY
from statusapp.services import watermarks
from statusapp.services.demo import catalogue, host
from statusapp.services.demo.bulk import CHECKS, DETAILS, LEDGER, SUMS, Bulk, bulk_into
from statusapp.services.demo.catalogue import Service, Temper
from statusapp.services.demo.episodes import Episode, episodes_of, shared_episodes
from statusapp.services.demo.history import History, Rows
from statusapp.services.demo.plans import DAY, PAUSED_AFTER, YOUNG_BEGINS_AFTER, Plan, Timeline, timeline
from statusapp.services.demo.replay import Replay, Story
from statusapp.services.demo.samples import Character, character_of
from statusapp.services.endpoint_drafts import EndpointDraft
from statusapp.services.endpoints import add_endpoint, pause_endpoint
from statusapp.services.installation import DEFAULT_ENDPOINTS
from statusapp.services.metric_rollups import roll_up_metrics
from statusapp.services.partitions import make_partitions
from statusapp.services.rollups import roll_up_checks
from statusapp.services.uptime import update_uptime

LIVE_PATH = "/health/live"  # Of this very server: what the endpoints are checked against from now on.
RETRIES = 2
SUCCESSES_TO_CONFIRM = 2


class DemoRefused(DomainError):
    """The database is in use: a made-up history must not get in among a real one."""


@dataclass(frozen=True, slots=True)
class DemoReport:
    """What was written: single checks, and changes of status less the creations."""

    checks: int
    changes: int


@dataclass(frozen=True, slots=True)
class _Member:
    """One endpoint of the demo, checked from `begins` up to `ends`."""

    id: int
    service: Service
    character: Character
    episodes: list[Episode]
    begins: int
    ends: int


def fill(plan: Plan, settings: Settings, now: datetime, loaded: Callable[[int], None]) -> DemoReport:
    """Write services and a history that ends `now` into a database that has neither.

    Every endpoint is a transaction of its own. The default endpoints make room.

    Args:
        loaded: is called with 1 after each endpoint.

    Raises:
        DemoRefused: when any check was ever made here, or there are endpoints besides the default ones.
    """
    time = timeline(plan, settings, to_us(now))
    _refuse_if_in_use()
    members = _add_endpoints(plan, time, settings)
    make_partitions(time.raw_from, time.now)
    checks = changes = 0
    for position, member in enumerate(members):
        written = _write_history(position, member, plan, time)
        checks, changes = checks + written.checks, changes + written.changes
        if member.service.temper is Temper.PAUSED:
            pause_endpoint(member.id, from_us(member.ends))
            changes += 1
        loaded(1)
    _write_readings(plan, time, settings)
    _sum_up(time, now)
    return DemoReport(checks, changes)


def _refuse_if_in_use() -> None:
    defaults = [name for name, *_ in DEFAULT_ENDPOINTS]
    signs = (
        select(HealthCheck.slot),
        select(StatusChangeRow.id).where(StatusChangeRow.rule != Rule.CREATED),
        select(ServiceEndpoint.id).where(ServiceEndpoint.name.not_in(defaults)),
    )
    if any(db.session.execute(sign.limit(1)).first() is not None for sign in signs):
        raise DemoRefused("there are checks or endpoints of yours in this database already")


def _add_endpoints(plan: Plan, time: Timeline, settings: Settings) -> list[_Member]:
    """Make the endpoints in the place of the default ones."""
    shared = shared_episodes(plan, time)
    members = []
    with write_transaction(db.session) as session:
        session.execute(delete(ServiceEndpoint))
        for position, service in enumerate(catalogue.services(plan.endpoints)):
            chance = plan.randomness(f"episodes {position}")
            begins = time.after(YOUNG_BEGINS_AFTER) if service.temper is Temper.YOUNG else time.start
            ends = time.after(PAUSED_AFTER) if service.temper is Temper.PAUSED else time.last_result
            character = character_of(service, position, plan, chance)
            draft = _draft(service, position, character, plan, settings)
            endpoint_id = add_endpoint(session, draft, from_us(begins))
            episodes = episodes_of(service.temper, shared, chance, plan, time, begins)
            members.append(_Member(endpoint_id, service, character, episodes, begins, ends))
        for group in session.scalars(select(ServiceGroup)):
            group.is_collapsed = catalogue.is_collapsed(group.name)
    # What follows goes past the session.
    db.session.expire_all()
    return members


def _draft(service: Service, position: int, character: Character, plan: Plan, settings: Settings) -> EndpointDraft:
    return EndpointDraft(
        service.name,
        settings.base_url + LIVE_PATH,
        interval_s=plan.interval_s,
        timeout_ms=plan.timeout_ms,
        retries=RETRIES,
        successes_to_confirm=SUCCESSES_TO_CONFIRM,
        description=service.description,
        position=position,
        is_public=service.is_public,
        slow_ms=character.slow_us // MILLISECOND,
        group=service.group,
        tags=service.tags,
        depends_on=service.depends_on,
    )


def _write_history(position: int, member: _Member, plan: Plan, time: Timeline) -> DemoReport:
    """Write all of one endpoint: checks with their details, sums, ledger and state."""
    chance = plan.randomness(f"checks {position}")
    policy = Policy(plan.interval_us, RETRIES + 1, SUCCESSES_TO_CONFIRM)
    replay = Replay(member.id, policy, member.character, (time.off_from, time.off_until), chance)
    story = replay.tell(member.episodes, member.begins, member.ends)
    with write_connection(db.engine) as connection:
        bulk = bulk_into(connection)
        history = History(member.id, plan, time, member.character, chance, bulk.render)
        bulk.write(CHECKS, (member.id, HERE), history.stream(story, member.begins, member.ends))
        bulk.write(DETAILS, (member.id, HERE), [_details(story, time, bulk)])
        for step_s in reversed(STEPS_S):
            bulk.write(SUMS, (member.id, step_s), [history.sums[step_s]])
        connection.execute(delete(StatusChangeRow).where(StatusChangeRow.endpoint_id == member.id))
        bulk.write(LEDGER, (member.id,), [_ledger(story, bulk)])
        _write_state(connection, member.id, story)
    return DemoReport(history.checks, len(story.ledger) - 1)


def _details(story: Story, time: Timeline, bulk: Bulk) -> Rows:
    """What is kept of bad checks, as long as the checks are."""
    return [
        (made.slot, bulk.render((made.result.error,)))
        for made in story.made
        if made.result.outcome is not Outcome.OK and made.slot >= time.raw_from
    ]


def _ledger(story: Story, bulk: Bulk) -> Rows:
    return [
        (
            entry.started_at,
            bulk.render(
                (
                    int(entry.previous), int(entry.status), entry.recorded_at, entry.ended_at, int(entry.rule),
                    entry.superseded, entry.reason,
                )
            ),
        )
        for entry in story.ledger
    ]  # fmt: skip


def _write_state(connection: Connection, endpoint_id: int, story: Story) -> None:
    """Where the service stands after its last check. The next one is due on the grid."""
    health, last = story.health, story.made[-1]
    connection.execute(
        update(EndpointState)
        .where(EndpointState.endpoint_id == endpoint_id)
        .values(
            status=health.status,
            status_since=health.status_since,
            history=health.history,
            failures=health.failures,
            successes=health.successes,
            slow=health.slow,
            fast=health.fast,
            run_since=health.run_since,
            last_checked_at=health.last_checked_at,
            silent_after=health.silent_after,
            last_slot=last.slot,
            last_outcome=last.result.outcome,
            last_error_kind=last.result.error_kind,
            last_status_code=last.result.status_code,
            last_total_us=last.result.total_us,
            next_check_at=story.next_check_at,
            extra_at=None,
            extra_kind=None,
            due_at=story.next_check_at,
        )
    )


def _write_readings(plan: Plan, time: Timeline, settings: Settings) -> None:
    start = time.now - min(plan.days, settings.metric_retention_days) * DAY
    rows = list(host.readings(start, time.now, plan.randomness("host")))
    with write_transaction(db.session) as session:
        session.execute(insert(SystemMetric), rows)
        session.add(MetricHost(host=host.HOST, next_at=from_us(time.now)))


def _sum_up(time: Timeline, now: datetime) -> None:
    """Have the jobs make what is left to them: the newest hours, and the uptime of every day."""
    with write_transaction(db.session) as session:
        watermarks.begin(session, LATENCY, time.final)
        watermarks.finish(session, LATENCY, time.final)
    update_uptime(now)
    roll_up_checks(now)
    roll_up_metrics(now)
    if db.engine.dialect.name == "postgresql":
        with write_connection(db.engine) as connection:
            connection.exec_driver_sql("ANALYZE")
