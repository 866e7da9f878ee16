"""Endpoints: making, pausing and rescheduling them. The only writer, beside the claim, of `next_check_at`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from sqlalchemy import BigInteger, cast, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from statusapp.database import write_transaction
from statusapp.domain.enums import CheckKind, Rule, Status
from statusapp.domain.instants import SECOND, to_us
from statusapp.domain.schedule import next_slot
from statusapp.domain.status_codes import parse_status_codes
from statusapp.domain.transitions import SILENT_INTERVALS
from statusapp.domain.values import StatusChange
from statusapp.extensions import db
from statusapp.models import EndpointState, ServiceEndpoint
from statusapp.probes.http import METHOD
from statusapp.services.results import earliest, record_change


class InvalidEndpoint(ValueError):
    """An endpoint cannot be saved as it is; the message says what is wrong and what would be right."""


@dataclass(frozen=True, slots=True)
class EndpointDraft:
    """What an operator says about an endpoint. Intervals are whole seconds, the timeout milliseconds."""

    name: str
    url: str
    method: str = "GET"
    expected_status_codes: str = "200-299"
    interval_s: int = 300
    timeout_ms: int = 10_000
    retries: int = 2
    successes_to_confirm: int = 2
    description: str = ""
    position: int = 0
    is_public: bool = True

    def validated(self) -> EndpointDraft:
        """This draft, when it can be saved.

        Raises:
            InvalidEndpoint: when it cannot.
        """
        if not self.name.strip() or len(self.name) > 200:
            raise InvalidEndpoint("The name must have 1 to 200 characters.")
        _check_url(self.url)
        if not METHOD.fullmatch(self.method):
            raise InvalidEndpoint(f"{self.method!r} is not an HTTP method; use for example GET, HEAD or POST.")
        try:
            parse_status_codes(self.expected_status_codes)
        except ValueError as error:
            raise InvalidEndpoint(f"Expected status codes: {error}.") from error
        if not 5 <= self.interval_s <= 86_400:
            raise InvalidEndpoint("The interval must be 5 seconds to 1 day.")
        if not 100 <= self.timeout_ms < self.interval_s * 1000:
            raise InvalidEndpoint(
                f"The timeout must be at least 0.1 seconds and shorter than the interval of {self.interval_s} seconds."
            )
        if not 0 <= self.retries <= 10 or not 1 <= self.successes_to_confirm <= 10:
            raise InvalidEndpoint("There may be 0 to 10 retries, and 1 to 10 successes that confirm a recovery.")
        return self


def create_endpoint(draft: EndpointDraft, now: datetime) -> int:
    """Save a new endpoint, due at once, and return its id.

    Raises:
        InvalidEndpoint: when the draft cannot be saved or the name is taken.
    """
    return create_endpoints([draft], now)[0]


def create_endpoints(drafts: list[EndpointDraft], now: datetime) -> list[int]:
    """Save new endpoints, all or none; as `create_endpoint`."""
    try:
        with write_transaction(db.session) as session:
            return [add_endpoint(session, draft, now) for draft in drafts]
    except IntegrityError as error:
        raise InvalidEndpoint("There is an endpoint of this name already; choose another name.") from error


def add_endpoint(session: Session, draft: EndpointDraft, now: datetime) -> int:
    """Add an endpoint within the caller's transaction."""
    draft = draft.validated()
    endpoint = ServiceEndpoint(
        name=draft.name.strip(),
        description=draft.description,
        url=draft.url,
        method=draft.method,
        expected_status_codes=draft.expected_status_codes,
        interval_s=draft.interval_s,
        timeout_ms=draft.timeout_ms,
        retries=draft.retries,
        successes_to_confirm=draft.successes_to_confirm,
        position=draft.position,
        is_public=draft.is_public,
        created_at=now,
        updated_at=now,
    )
    session.add(endpoint)
    session.flush()
    here = to_us(now)
    session.add(EndpointState(endpoint_id=endpoint.id, status=Status.UNKNOWN, status_since=here))
    session.flush()
    created = StatusChange(Status.UNKNOWN, Status.UNKNOWN, here, Rule.CREATED)
    record_change(session.connection(), endpoint.id, created, here)
    reschedule(session, endpoint.id, here, check_at=here)
    return endpoint.id


def reschedule(
    session: Session,
    endpoint_id: int,
    now: int,
    *,
    check_at: int | None = None,
    check_kind: CheckKind = CheckKind.SCHEDULED,
) -> None:
    """Put an endpoint onto its grid anew: after a change of interval, a pause, a jump of the clock, or for a run now.

    Args:
        check_at: the due time of one check beside the grid, in microseconds; with `check_kind`.
    """
    endpoint = session.get_one(ServiceEndpoint, endpoint_id)
    state = session.get_one(EndpointState, endpoint_id, with_for_update=True)
    interval_us = endpoint.interval_s * SECOND
    if endpoint.is_enabled:
        state.next_check_at = next_slot(endpoint_id, interval_us, now)
        if check_at is not None:
            state.extra_at, state.extra_kind = check_at, check_kind
        if state.silent_after is not None:
            state.silent_after = max(state.silent_after, now + SILENT_INTERVALS * interval_us)
    else:
        state.next_check_at = state.extra_at = state.extra_kind = None
    if state.claimed_slot is None:
        state.due_at = earliest(state.next_check_at, state.extra_at)
    session.flush()


def pause_endpoint(endpoint_id: int, now: datetime) -> None:
    """Stop checking an endpoint. Its interval is closed as unknown; it leaves the count of services."""
    here = to_us(now)
    with write_transaction(db.session) as session:
        endpoint = session.get_one(ServiceEndpoint, endpoint_id)
        state = session.get_one(EndpointState, endpoint_id, with_for_update=True)
        if not endpoint.is_enabled:
            return
        endpoint.is_enabled, endpoint.updated_at = False, now
        change = StatusChange(state.status, Status.UNKNOWN, here, Rule.PAUSED)
        # A higher fence refuses the result of a check that is in flight at this moment.
        state.fence += 1
        state.claimed_slot = state.claimed_kind = state.silent_after = state.run_since = None
        state.failures = state.successes = state.slow = state.fast = 0
        state.status, state.status_since = Status.UNKNOWN, here
        session.flush()
        record_change(session.connection(), endpoint_id, change, here)
        reschedule(session, endpoint_id, here)


def resume_endpoint(endpoint_id: int, now: datetime) -> None:
    """Check a paused endpoint again, at once."""
    here = to_us(now)
    with write_transaction(db.session) as session:
        endpoint = session.get_one(ServiceEndpoint, endpoint_id)
        if endpoint.is_enabled:
            return
        endpoint.is_enabled, endpoint.updated_at = True, now
        session.flush()
        record_change(
            session.connection(), endpoint_id, StatusChange(Status.UNKNOWN, Status.UNKNOWN, here, Rule.RESUMED), here
        )
        reschedule(session, endpoint_id, here, check_at=here)


def repair_schedule(now: int) -> int:
    """Put endpoints back onto their grid that no claim would ever find: after the clock was set back, or by hand.

    Returns:
        How many there were.
    """
    interval_us = cast(ServiceEndpoint.interval_s, BigInteger) * SECOND
    with write_transaction(db.session) as session:
        lost = session.scalars(
            select(ServiceEndpoint.id)
            .join(EndpointState)
            .where(
                ServiceEndpoint.is_enabled,
                EndpointState.due_at.is_(None) | (EndpointState.due_at - 2 * interval_us > now + 60 * SECOND),
            )
        ).all()
        for endpoint_id in lost:
            state = session.get_one(EndpointState, endpoint_id)
            state.fence += 1
            state.claimed_slot = state.claimed_kind = state.extra_at = state.extra_kind = None
            reschedule(session, endpoint_id, now, check_at=now)
    return len(lost)


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable or any(character.isspace() or ord(character) < 32 for character in url):
        raise InvalidEndpoint(f"{url!r} is not an address that can be checked; write for example https://example.org/.")
