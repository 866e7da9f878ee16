"""Endpoints that are there: reading one for a form, changing it, deleting some.

What is secret in an endpoint never leaves this side. A form that leaves a secret out keeps it; to take it away has to
be said. Where an endpoint's secrets go must not be changed by those who may not know them: they would only have to name
a server of their own.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from statusapp.database import write_transaction
from statusapp.domain.actors import Actor
from statusapp.domain.enums import AuditAction, AuditKind
from statusapp.domain.errors import NotFound
from statusapp.domain.instants import to_us
from statusapp.domain.options import split_secrets
from statusapp.domain.web_addresses import HIDDEN, masked
from statusapp.extensions import db
from statusapp.models import EndpointDependency, EndpointTag, ServiceEndpoint, ServiceGroup
from statusapp.probes.kinds import kind_of
from statusapp.services import audit
from statusapp.services.endpoint_drafts import EndpointDraft, InvalidEndpoint
from statusapp.services.endpoints import NAME_TAKEN, columns_of, relate, reschedule
from statusapp.services.targets import PING_TOKEN, WHOLE_URL
from statusapp.services.vault import WrongKey, current_vault

MISSING = "There is no such service, or not any more."
NOT_YOURS = (
    "This service sends secrets, and where it sends them may only be changed by an owner. Leave the address and the "
    "options of the request as they are."
)


@dataclass(frozen=True, slots=True)
class EndpointFile:
    """An endpoint as a form shows it. The draft has no secrets, its address *** in their place.

    `secrets` are the names of the options that are set and not shown, and `url` for an address that holds one.
    """

    id: int
    draft: EndpointDraft
    secrets: frozenset[str]
    is_enabled: bool
    is_muted: bool
    muted_until: int | None
    created_at: datetime


def load_endpoint(endpoint_id: int) -> EndpointFile:
    """All that an operator may see of an endpoint.

    Raises:
        NotFound: when it is not there.
    """
    row = _get(db.session(), endpoint_id)
    draft = _draft_of(row)
    return EndpointFile(
        row.id, draft, frozenset(_secrets(row)), row.is_enabled, row.is_muted, row.muted_until, row.created_at
    )


def with_secrets(
    endpoint_id: int, draft: EndpointDraft, cleared: Collection[str] = (), *, may_use_secrets: bool = True
) -> EndpointDraft:
    """A draft of an endpoint that is there, with the secrets that it leaves out.

    Args:
        cleared: the names of secrets to take away.
        may_use_secrets: whether whoever asks may know them, and so may say where they go.

    Raises:
        NotFound: when the endpoint is not there.
        InvalidEndpoint: when the draft would send secrets elsewhere, or is of another kind.
    """
    return _completed(_get(db.session(), endpoint_id), draft, cleared, may_use_secrets)


def change_endpoint(
    endpoint_id: int,
    draft: EndpointDraft,
    actor: Actor,
    now: datetime,
    cleared: Collection[str] = (),
    *,
    may_use_secrets: bool = True,
) -> None:
    """Save a draft in the place of an endpoint; as `with_secrets`. A new interval is kept from now on.

    Raises:
        NotFound: when the endpoint is not there.
        InvalidEndpoint: when the draft cannot be saved.
    """
    try:
        with write_transaction(db.session) as session:
            row = _get(session, endpoint_id)
            token, before = _opened(row).get(PING_TOKEN), _fields(row)
            draft = _completed(row, draft, cleared, may_use_secrets).validated()
            interval_s = row.interval_s
            for name, value in columns_of(session, draft, token).items():
                setattr(row, name, value)
            row.updated_at = now
            session.execute(delete(EndpointTag).where(EndpointTag.endpoint_id == endpoint_id))
            session.execute(delete(EndpointDependency).where(EndpointDependency.endpoint_id == endpoint_id))
            relate(session, endpoint_id, draft)
            session.flush()
            _check_no_circle(session, endpoint_id)
            _record(session, actor, AuditAction.CHANGED, row, now, before, _fields(row))
            if draft.interval_s != interval_s:
                reschedule(session, endpoint_id, to_us(now))
    except IntegrityError as error:
        raise InvalidEndpoint(NAME_TAKEN, "name") from error


def delete_endpoints(endpoint_ids: Collection[int], actor: Actor, now: datetime) -> int:
    """Delete endpoints with all that is theirs alone; how many there were.

    Their checks go with the next daily clean-up, in batches. Incidents stay, without them.
    """
    with write_transaction(db.session) as session:
        table = ServiceEndpoint
        rows = session.scalars(select(table).where(table.id.in_(endpoint_ids)).order_by(table.id)).all()
        for row in rows:
            _record(session, actor, AuditAction.DELETED, row, now, _fields(row), None)
        ids = [row.id for row in rows]
        session.flush()
        # What is theirs goes by the database's own rules, and not row by row.
        session.execute(delete(table).where(table.id.in_(ids)), execution_options={"synchronize_session": False})
        return len(ids)


def _get(session: Session, endpoint_id: int) -> ServiceEndpoint:
    row = session.get(ServiceEndpoint, endpoint_id)
    if row is None:
        raise NotFound(MISSING)
    return row


def _fields(row: ServiceEndpoint) -> dict[str, Any]:
    """What the audit log compares of an endpoint."""
    draft = _draft_of(row)
    return audit.fields_of(row, tags=draft.tags, depends_on=draft.depends_on)


def _record(
    session: Session,
    actor: Actor,
    action: AuditAction,
    row: ServiceEndpoint,
    now: datetime,
    before: dict[str, Any],
    after: dict[str, Any] | None,
) -> None:
    audit.record(session, actor, action, AuditKind.SERVICE, row.id, row.name, now, before, after)


def _opened(row: ServiceEndpoint) -> dict[str, Any]:
    """The secrets. Those that another key has sealed are as good as lost: a form can only set them anew."""
    if not row.secrets:
        return {}
    try:
        return current_vault().open(row.secrets)
    except WrongKey:
        return {}


def _secrets(row: ServiceEndpoint) -> list[str]:
    return ["url" if name == WHOLE_URL else name for name in _opened(row) if name != PING_TOKEN]


def _draft_of(row: ServiceEndpoint) -> EndpointDraft:
    group = db.session.get(ServiceGroup, row.group_id) if row.group_id is not None else None
    tags = select(EndpointTag.tag).where(EndpointTag.endpoint_id == row.id).order_by(EndpointTag.tag)
    parents = (
        select(ServiceEndpoint.name)
        .join(EndpointDependency, EndpointDependency.parent_id == ServiceEndpoint.id)
        .where(EndpointDependency.endpoint_id == row.id)
        .order_by(ServiceEndpoint.name)
    )
    return EndpointDraft(
        name=row.name,
        url=row.url,
        method=row.method,
        expected_status_codes=row.expected_status_codes,
        interval_s=row.interval_s,
        timeout_ms=row.timeout_ms,
        retries=row.retries,
        successes_to_confirm=row.successes_to_confirm,
        description=row.description,
        position=row.position,
        is_public=row.is_public,
        slow_ms=row.slow_ms,
        options=json.loads(row.options),
        conditions=tuple((text, bool(degrades)) for text, degrades in json.loads(row.conditions)),
        group=None if group is None else group.name,
        tags=tuple(db.session.scalars(tags)),
        depends_on=tuple(db.session.scalars(parents)),
        shows_url=row.shows_url,
    )


def _completed(
    row: ServiceEndpoint, draft: EndpointDraft, cleared: Collection[str], may_use_secrets: bool
) -> EndpointDraft:
    kept = {name: value for name, value in _opened(row).items() if name != PING_TOKEN}
    whole = kept.pop(WHOLE_URL, None)
    if whole is not None and draft.url == row.url:
        draft = replace(draft, url=whole)
    elif HIDDEN in draft.url:
        raise InvalidEndpoint(f"The address holds {HIDDEN} in the place of a secret; write it as a whole.", "url")
    try:
        kind = kind_of(draft.url)
    except ValueError:
        return draft
    if kind is not kind_of(row.url):
        raise InvalidEndpoint(
            f"This is a check of {kind_of(row.url).label}, as in {kind_of(row.url).example}, and stays one. To check "
            "something else, add another service.",
            "url",
        )
    kept = {name: value for name, value in kept.items() if name not in cleared}
    if not may_use_secrets:
        _check_same_place(row, draft, cleared)
    return replace(draft, options={**kept, **draft.options})


def _check_same_place(row: ServiceEndpoint, draft: EndpointDraft, cleared: Collection[str]) -> None:
    """Refuse a draft by which somebody could learn secrets, or that sets some."""
    open_options, given = split_secrets(kind_of(draft.url).options, draft.options)
    if any(given.values()) or cleared:
        raise InvalidEndpoint("Secrets may only be changed by an owner.", "options", next(iter([*given, *cleared])))
    if not _secrets(row):
        return
    before: Mapping[str, Any] = json.loads(row.options)
    if masked(draft.url) != row.url or _without_blanks(open_options) != _without_blanks(before):
        raise InvalidEndpoint(NOT_YOURS, "url")


def _without_blanks(options: Mapping[str, Any]) -> dict[str, str]:
    """Options for comparing: a form may say a default that was not stored."""
    return {name: str(value) for name, value in options.items() if value not in ("", None)}


def _check_no_circle(session: Session, endpoint_id: int) -> None:
    """Refuse a service that would depend on itself, over others."""
    parents: dict[int, list[int]] = {}
    for child, parent in session.execute(select(EndpointDependency.endpoint_id, EndpointDependency.parent_id)):
        parents.setdefault(child, []).append(parent)
    seen: set[int] = set()
    ahead = list(parents.get(endpoint_id, ()))
    while ahead:
        one = ahead.pop()
        if one == endpoint_id:
            raise InvalidEndpoint("It would depend on itself, by way of what it depends on.", "depends_on")
        if one not in seen:
            seen.add(one)
            ahead += parents.get(one, ())
