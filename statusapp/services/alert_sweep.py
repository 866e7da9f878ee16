"""The sweep: all rules for all subjects, also for those that no arriving result tells of.

What is judged is read first; then one transaction settles it, so that the write lock is held for the writing alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Row, bindparam, text

from statusapp.database import write_connection
from statusapp.domain.alert_life import Step
from statusapp.domain.alert_rules import (
    DEFAULT_SLOW_MS,
    Case,
    Judgement,
    RuleValues,
    ServiceFacts,
    judge_certificate,
    judge_share,
)
from statusapp.domain.enums import AlertKind, Outcome, Status
from statusapp.domain.instants import SECOND, from_us
from statusapp.extensions import db
from statusapp.services import incidents
from statusapp.services.alert_facts import load_services
from statusapp.services.alert_hosts import judge_hosts
from statusapp.services.alert_monitor import judge_monitor
from statusapp.services.alert_requests import REQUEST_KINDS, judge_requests
from statusapp.services.alerts import judge_services, settle
from statusapp.services.rules import Rules, load_rules

# The share of slow answers from which on the 95th percentile is above the threshold.
SLOW_SHARE_PERCENT = 5.0
# These rows are held while it is judged who is down: a result that comes in meanwhile waits, and is judged after.
_DOWN = """
SELECT endpoint_id FROM endpoint_state
WHERE status = :down OR endpoint_id IN (SELECT endpoint_id FROM alert WHERE resolved_at IS NULL AND kind IN (:a, :b))
ORDER BY endpoint_id {lock}
"""
_DOWN_BY_DIALECT = {
    "sqlite": text(_DOWN.format(lock="")),
    "postgresql": text(_DOWN.format(lock="FOR UPDATE")),
}
# Only since the status has been what it is: an outage that is over has been told of, and is no error rate afterwards.
_COUNTS = text("""
SELECT e.id, COUNT(h.slot) AS checks,
    SUM(CASE WHEN h.outcome = :failed THEN 1 ELSE 0 END) AS failed,
    SUM(CASE WHEN h.outcome <> :failed AND h.total_us > :slow_us THEN 1 ELSE 0 END) AS slow,
    MAX(CASE WHEN h.outcome <> :failed THEN h.total_us END) AS slowest
FROM service_endpoint AS e
JOIN endpoint_state AS s ON s.endpoint_id = e.id
JOIN health_check AS h ON h.endpoint_id = e.id AND h.location = 0 AND h.slot >= :start AND h.slot >= s.status_since
    AND h.outcome <= :failed
WHERE e.id IN :ids GROUP BY e.id
""").bindparams(bindparam("ids", expanding=True))
_IDS = text("SELECT id FROM service_endpoint WHERE is_enabled ORDER BY id")
_OPEN = text("SELECT kind, subject, name, endpoint_id, since FROM alert WHERE resolved_at IS NULL")


def evaluate_all(now: int, *, just_back: bool = False) -> dict[Step, int]:
    """Judge everything and settle it; how often each step was taken. `now` is in microseconds.

    `just_back` is whether nobody was there to judge for a while.
    """
    connection = db.session.connection()
    rules = load_rules(connection, now)
    cases = [
        *_judge_services(connection, rules, now),
        *judge_hosts(connection, rules, now),
        *judge_requests(rules, from_us(now)),
        *judge_monitor(rules, now, just_back=just_back),
    ]
    db.session.rollback()
    with write_connection(db.engine) as writing:
        values = {"down": int(Status.MAJOR_OUTAGE), "a": int(AlertKind.DOWN), "b": int(AlertKind.HEARTBEAT_LATE)}
        # Before it is judged who is down: what fires after this is left to the next sweep.
        known = writing.execute(_OPEN).all()
        down = writing.scalars(_DOWN_BY_DIALECT[writing.dialect.name], values).all()
        cases += judge_services(writing, down, now)
        steps = settle(writing, [*cases, *_gone(known, rules, cases)], now)
    # Apart, because whoever holds the outbox waits for no incident.
    with write_connection(db.engine) as writing:
        incidents.settle_incidents(writing, now)
    return steps


def _judge_services(connection: Connection, rules: Rules, now: int) -> list[Case]:
    services = load_services(connection, list(connection.scalars(_IDS)), now)
    cases = []
    slow: dict[tuple[int, float], list[tuple[ServiceFacts, RuleValues]]] = defaultdict(list)
    failing: dict[int, list[tuple[ServiceFacts, RuleValues]]] = defaultdict(list)
    for service, group_id, slow_ms in services:

        def rule_of(kind: AlertKind, service: ServiceFacts = service, group_id: int | None = group_id) -> RuleValues:
            return rules.of(kind, service.endpoint_id, group_id)

        cases.append(judge_certificate(service, rule_of(AlertKind.CERTIFICATE), now))
        if service.is_heartbeat:
            continue
        rule = rule_of(AlertKind.SLOW)
        limit_ms = rule.threshold if rule.threshold is not None else slow_ms or DEFAULT_SLOW_MS
        slow[rule.window_s, limit_ms].append((service, rule))
        rule = rule_of(AlertKind.CHECK_ERRORS)
        failing[rule.window_s].append((service, rule))
    for (window_s, limit_ms), members in slow.items():
        cases += _judge_slow(connection, members, window_s, limit_ms, now)
    for window_s, members in failing.items():
        cases += _judge_failing(connection, members, window_s, now)
    return cases


def _judge_slow(
    connection: Connection, members: list[tuple[ServiceFacts, RuleValues]], window_s: int, limit_ms: float, now: int
) -> Iterable[Case]:
    start = now - window_s * SECOND
    counts = _count(connection, members, start, limit_ms)
    for service, rule in members:
        count, failed, slow, slowest = counts.get(service.endpoint_id, (0, 0, 0, 0))
        answered = count - failed
        found = (
            f"{slow} of {answered} answers in {window_s // 60} min took longer than {limit_ms / 1000:g} s, "
            f"the slowest {slowest / 1e6:.2f} s"
        )
        yield judge_share(service, rule, slow, answered, SLOW_SHARE_PERCENT, found, start)


def _judge_failing(
    connection: Connection, members: list[tuple[ServiceFacts, RuleValues]], window_s: int, now: int
) -> Iterable[Case]:
    start = now - window_s * SECOND
    counts = _count(connection, members, start, DEFAULT_SLOW_MS)
    for service, rule in members:
        count, failed, _, _ = counts.get(service.endpoint_id, (0, 0, 0, 0))
        found = f"{failed} of {count} checks in {window_s // 60} min failed"
        limit = rule.threshold if rule.threshold is not None else 50.0
        yield judge_share(service, rule, failed, count, limit, found, start)


def _count(
    connection: Connection, members: list[tuple[ServiceFacts, RuleValues]], start: int, slow_ms: float
) -> dict[int, tuple[int, int, int, int]]:
    values = {
        "ids": [service.endpoint_id for service, _ in members],
        "start": start,
        "failed": int(Outcome.FAILED),
        "slow_us": int(slow_ms * 1000),
    }
    return {
        row.id: (int(row.checks), int(row.failed), int(row.slow), int(row.slowest or 0))
        for row in connection.execute(_COUNTS, values)
    }


def _gone(known: Iterable[Row[Any]], rules: Rules, cases: list[Case]) -> list[Case]:
    """Open alerts that no rule has judged are over: their subject is paused, gone, or a route without findings.

    While a rule about requests is muted nobody looks for findings, and nothing is said either way.
    """
    judged = {case.key for case in cases}
    return [
        Case(
            rules.of(AlertKind(row.kind)),
            row.subject,
            row.name,
            Judgement.FINE,
            endpoint_id=row.endpoint_id,
            found="it is not watched any more",
        )
        for row in known
        if (AlertKind(row.kind), row.subject) not in judged
        and (AlertKind(row.kind) not in REQUEST_KINDS or rules.of(AlertKind(row.kind)).is_on)
    ]
