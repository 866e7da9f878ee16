"""Endpoints: making, pausing and rescheduling them. The only writer, beside the claim, of `next_check_at`."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, case, cast, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from statusapp.database import write_transaction
from statusapp.domain.actors import SYSTEM, Actor
from statusapp.domain.enums import AuditAction, AuditKind, CheckKind, Rule, Status
from statusapp.domain.instants import SECOND, to_us
from statusapp.domain.options import split_secrets
from statusapp.domain.schedule import next_slot
from statusapp.domain.transitions import SILENT_INTERVALS
from statusapp.domain.values import StatusChange
from statusapp.domain.web_addresses import masked
from statusapp.extensions import db
from statusapp.models import (
    EndpointDependency,
    EndpointState,
    EndpointTag,
    Heartbeat,
    ServiceEndpoint,
    ServiceGroup,
)
from statusapp.probes.kinds import kind_of
from statusapp.services import audit
from statusapp.services.endpoint_drafts import EndpointDraft, InvalidEndpoint
from statusapp.services.results import earliest, record_change
from statusapp.services.targets import PING_TOKEN, WHOLE_URL
from statusapp.services.vault import current_vault

NAME_TAKEN = "There is an endpoint of this name already; choose another name."


def create_endpoint(draft: EndpointDraft, now: datetime, *, actor: Actor = SYSTEM) -> int:
    """Save a new endpoint, due at once, and return its id.

    Raises:
        InvalidEndpoint: when the draft cannot be saved or the name is taken.
    """
    return create_endpoints([draft], now, actor=actor)[0]


def create_endpoints(drafts: list[EndpointDraft], now: datetime, *, actor: Actor = SYSTEM) -> list[int]:
    """Save new endpoints, all or none; as `create_endpoint`."""
    try:
        with write_transaction(db.session) as session:
            return [add_endpoint(session, draft, now, actor=actor) for draft in drafts]
    except IntegrityError as error:
        raise InvalidEndpoint(NAME_TAKEN, "name") from error


def add_endpoint(session: Session, draft: EndpointDraft, now: datetime, *, actor: Actor = SYSTEM) -> int:
    """Add an endpoint within the caller's transaction."""
    draft = draft.validated()
    token = secrets.token_urlsafe(24) if draft.is_heartbeat else None
    endpoint = ServiceEndpoint(**columns_of(session, draft, token), created_at=now, updated_at=now)
    session.add(endpoint)
    session.flush()
    here = to_us(now)
    session.add(EndpointState(endpoint_id=endpoint.id, status=Status.UNKNOWN, status_since=here))
    relate(session, endpoint.id, draft)
    if token is not None:
        session.add(Heartbeat(endpoint_id=endpoint.id, token_hash=hash_token(token), created_at=here))
    session.flush()
    created = StatusChange(Status.UNKNOWN, Status.UNKNOWN, here, Rule.CREATED)
    record_change(session.connection(), endpoint.id, created, here)
    reschedule(session, endpoint.id, here, check_at=here)
    after = audit.fields_of(endpoint, tags=draft.tags, depends_on=draft.depends_on)
    audit.record(session, actor, AuditAction.ADDED, AuditKind.SERVICE, endpoint.id, endpoint.name, now, None, after)
    return endpoint.id


def columns_of(session: Session, draft: EndpointDraft, ping_token: str | None = None) -> dict[str, Any]:
    """A draft that is valid as the operator's columns of an endpoint, its secrets sealed."""
    open_options, secret_options = split_secrets(kind_of(draft.url).options, draft.options)
    shown_url = masked(draft.url)
    if shown_url != draft.url:
        secret_options[WHOLE_URL] = draft.url
    if ping_token is not None:
        secret_options[PING_TOKEN] = ping_token
    return {
        "name": draft.name.strip(),
        "description": draft.description,
        "url": shown_url,
        "method": draft.method,
        "expected_status_codes": draft.expected_status_codes,
        "interval_s": draft.interval_s,
        "timeout_ms": draft.timeout_ms,
        "retries": draft.retries,
        "successes_to_confirm": draft.successes_to_confirm,
        "slow_ms": draft.slow_ms,
        "options": json.dumps(open_options),
        "secrets": current_vault().seal(secret_options) if secret_options else None,
        "conditions": json.dumps(draft.conditions),
        "group_id": group_named(session, draft.group) if draft.group else None,
        "shows_url": draft.shows_url,
        "position": draft.position,
        "is_public": draft.is_public,
    }


def relate(session: Session, endpoint_id: int, draft: EndpointDraft) -> None:
    """Give an endpoint its tags and those that it depends on.

    Raises:
        InvalidEndpoint: when it would depend on what is not there, or on itself.
    """
    session.add_all(EndpointTag(endpoint_id=endpoint_id, tag=tag) for tag in dict.fromkeys(draft.tags))
    for name in dict.fromkeys(draft.depends_on):
        parent_id = session.scalar(select(ServiceEndpoint.id).where(ServiceEndpoint.name == name))
        if parent_id is None or parent_id == endpoint_id:
            raise InvalidEndpoint(
                f"It cannot depend on {name!r}: there is no other endpoint of this name.", "depends_on"
            )
        session.add(EndpointDependency(endpoint_id=endpoint_id, parent_id=parent_id))


def hash_token(token: str) -> bytes:
    """What is stored of a ping token. It is long and random, so a plain hash is enough."""
    return hashlib.sha256(token.encode()).digest()


def ping_path(endpoint_id: int) -> str | None:
    """The path that a job calls, with the secret in it; None for an endpoint that is no heartbeat."""
    sealed = db.session.get_one(ServiceEndpoint, endpoint_id).secrets
    token = current_vault().open(sealed).get(PING_TOKEN) if sealed else None
    return f"/ping/{token}/" if token else None


def group_named(session: Session, name: str) -> int:
    """The group of this name, made when there is none, after those that are there."""
    group = session.scalar(select(ServiceGroup).where(ServiceGroup.name == name))
    if group is None:
        last = session.scalar(select(func.max(ServiceGroup.position)))
        group = ServiceGroup(name=name, position=0 if last is None else last + 1)
        session.add(group)
        session.flush()
    return group.id


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


def pause_endpoint(endpoint_id: int, now: datetime, *, actor: Actor = SYSTEM) -> None:
    """Stop checking an endpoint. Its interval is closed as unknown; it leaves the count of services."""
    pause_endpoints([endpoint_id], now, actor=actor)


def pause_endpoints(endpoint_ids: list[int], now: datetime, *, actor: Actor = SYSTEM) -> list[int]:
    """The same for many at once; the ids of those that were not paused already."""
    here = to_us(now)
    with write_transaction(db.session) as session:
        paused = _switched(session, endpoint_ids, actor, now, is_enabled=False)
        for endpoint_id in paused:
            state = session.get_one(EndpointState, endpoint_id, with_for_update=True)
            change = StatusChange(state.status, Status.UNKNOWN, here, Rule.PAUSED)
            # A higher fence refuses the result of a check that is in flight at this moment.
            state.fence += 1
            state.claimed_slot = state.claimed_kind = state.silent_after = state.run_since = None
            state.failures = state.successes = state.slow = state.fast = 0
            state.status, state.status_since = Status.UNKNOWN, here
            session.flush()
            record_change(session.connection(), endpoint_id, change, here)
            reschedule(session, endpoint_id, here)
    return paused


def resume_endpoint(endpoint_id: int, now: datetime, *, actor: Actor = SYSTEM) -> None:
    """Check a paused endpoint again, at once."""
    resume_endpoints([endpoint_id], now, actor=actor)


def resume_endpoints(endpoint_ids: list[int], now: datetime, *, actor: Actor = SYSTEM) -> list[int]:
    """The same for many at once; the ids of those that were paused."""
    here = to_us(now)
    change = StatusChange(Status.UNKNOWN, Status.UNKNOWN, here, Rule.RESUMED)
    with write_transaction(db.session) as session:
        resumed = _switched(session, endpoint_ids, actor, now, is_enabled=True)
        for endpoint_id in resumed:
            record_change(session.connection(), endpoint_id, change, here)
            reschedule(session, endpoint_id, here, check_at=here)
    return resumed


def _switched(session: Session, endpoint_ids: list[int], actor: Actor, now: datetime, *, is_enabled: bool) -> list[int]:
    """Switch those of these endpoints that are not so already; their ids."""
    table = ServiceEndpoint
    wanted = (
        update(table)
        .where(table.id.in_(endpoint_ids), table.is_enabled.is_not(is_enabled))
        .values(is_enabled=is_enabled, updated_at=now)
        .returning(table.id, table.name)
    )
    switched = sorted(session.execute(wanted.execution_options(synchronize_session="fetch")).all())
    before, after = {"is_enabled": not is_enabled}, {"is_enabled": is_enabled}
    for key, name in switched:
        audit.record(session, actor, AuditAction.CHANGED, AuditKind.SERVICE, key, name, now, before, after)
    return [key for key, _ in switched]


def request_checks(endpoint_ids: list[int] | None, now: datetime, *, actor: Actor = SYSTEM) -> int:
    """Have a worker check these endpoints at once, or all of them; how many that will be. Paused ones are left out."""
    here = to_us(now)
    with write_transaction(db.session) as session:
        chosen = select(ServiceEndpoint.id).where(ServiceEndpoint.is_enabled)
        if endpoint_ids is not None:
            chosen = chosen.where(ServiceEndpoint.id.in_(endpoint_ids))
        asked = session.scalars(
            update(EndpointState)
            .where(EndpointState.endpoint_id.in_(chosen))
            .values(
                extra_at=here,
                extra_kind=CheckKind.MANUAL,
                due_at=case((EndpointState.claimed_slot.is_(None), here), else_=EndpointState.due_at),
            )
            .returning(EndpointState.endpoint_id)
            .execution_options(synchronize_session=False)
        )
        ids = asked.all()
        _record_asked(session, ids, actor, now)
        return len(ids)


def _record_asked(session: Session, ids: Sequence[int], actor: Actor, now: datetime) -> None:
    """Write down that somebody wanted checks, in one entry however many they are."""
    if ids:
        key = ids[0] if len(ids) == 1 else None
        subject = f"{len(ids)} services" if key is None else session.get_one(ServiceEndpoint, key).name
        audit.record(session, actor, AuditAction.TRIED, AuditKind.SERVICE, key, subject, now)


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
