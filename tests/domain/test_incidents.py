"""Incidents: moves, impact, and what a machine calls one."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statusapp.domain.enums import AlertKind, Impact, IncidentMode, IncidentStatus, Severity, Status
from statusapp.domain.incidents import (
    IMPACT_WORDS,
    MOST_TITLE,
    MOVES,
    STATUS_WORDS,
    automatic_title,
    derive_impact,
    has_recovered,
    may_move,
    mode_for,
    status_of,
)

S = IncidentStatus
ALLOWED = {
    (S.INVESTIGATING, S.IDENTIFIED), (S.INVESTIGATING, S.MONITORING), (S.INVESTIGATING, S.RESOLVED),
    (S.IDENTIFIED, S.INVESTIGATING), (S.IDENTIFIED, S.MONITORING), (S.IDENTIFIED, S.RESOLVED),
    (S.MONITORING, S.INVESTIGATING), (S.MONITORING, S.IDENTIFIED), (S.MONITORING, S.RESOLVED),
    (S.RESOLVED, S.INVESTIGATING), (S.RESOLVED, S.POST_MORTEM),
}  # fmt: skip


@pytest.mark.parametrize(("before", "after"), list(itertools.product(S, S)))
def test_a_move_is_allowed_or_not(before: S, after: S) -> None:
    assert may_move(before, after) is (before is after or (before, after) in ALLOWED)


def test_every_incident_can_come_to_its_end() -> None:
    for status in set(S) - {S.POST_MORTEM}:
        assert status is S.RESOLVED or S.RESOLVED in MOVES[status]


@pytest.mark.parametrize(
    ("statuses", "impact"),
    [
        ([], Impact.NONE),
        ([Status.OPERATIONAL, Status.MAINTENANCE, Status.UNKNOWN], Impact.NONE),
        ([Status.OPERATIONAL, Status.DEGRADED], Impact.MINOR),
        ([Status.DEGRADED, Status.PARTIAL_OUTAGE], Impact.MAJOR),
        ([Status.MAJOR_OUTAGE, Status.OPERATIONAL], Impact.CRITICAL),
    ],
)
def test_the_worst_service_makes_the_impact(statuses: list[Status], impact: Impact) -> None:
    assert derive_impact(statuses) is impact


@pytest.mark.parametrize(
    ("affected", "title"),
    [
        ([], "Service disruption"),
        ([("Shop", Status.MAJOR_OUTAGE)], "Shop is down"),
        ([("Shop", Status.DEGRADED)], "Shop is slow"),
        ([("Shop", Status.PARTIAL_OUTAGE)], "Shop fails on and off"),
        ([("shop", Status.DEGRADED), ("API", Status.MAJOR_OUTAGE)], "API and shop are down"),
        ([(name, Status.DEGRADED) for name in "CBA"], "A and 2 other services are slow"),
    ],
)
def test_a_machine_says_who_and_how(affected: list[tuple[str, Status]], title: str) -> None:
    assert automatic_title(affected) == title


@given(st.lists(st.tuples(st.text(min_size=1, max_size=200), st.sampled_from(Status)), max_size=5))
def test_a_title_always_fits_its_column(affected: list[tuple[str, Status]]) -> None:
    assert 0 < len(automatic_title(affected)) <= MOST_TITLE


def test_the_settings_of_the_page_decide_by_severity() -> None:
    modes = (IncidentMode.PUBLIC, IncidentMode.DRAFT)
    assert mode_for(Severity.CRITICAL, *modes) is IncidentMode.PUBLIC
    assert mode_for(Severity.WARNING, *modes) is IncidentMode.DRAFT
    assert mode_for(Severity.INFO, *modes) is IncidentMode.OFF


def test_every_kind_and_status_has_words() -> None:
    assert set(STATUS_WORDS) == set(S)
    assert set(IMPACT_WORDS) == set(Impact)
    assert {status_of(kind) for kind in AlertKind} <= {Status.MAJOR_OUTAGE, Status.PARTIAL_OUTAGE, Status.DEGRADED}


def test_recovered_is_operational_or_not_looked_at_any_more() -> None:
    recovered = {status for status in Status if has_recovered(status, is_enabled=True)}
    assert recovered == {Status.OPERATIONAL}
    assert has_recovered(Status.UNKNOWN, is_enabled=False)
