"""What host applications report over HTTP: who may, and how it gets into the stream."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime

from redis import RedisError
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from statusapp.database import write_transaction
from statusapp.domain.actors import SYSTEM, Actor
from statusapp.domain.enums import AuditAction, AuditKind
from statusapp.domain.errors import DomainError
from statusapp.extensions import db, redis_connection
from statusapp.models import IngestToken
from statusapp.services import audit
from statusapp.tracking.redis_stream import RedisStream
from statusapp.tracking.transports import TransportError
from statusapp.tracking.wire import INGEST_PATH, decode_batch

PREFIX = "ingest_"


class IngestRefused(DomainError):
    """A token cannot be made or ended as asked; the message says why."""


class CannotTake(Exception):
    """Batches cannot be taken now; the same one may be sent again."""


def create_token(name: str, now: datetime, actor: Actor = SYSTEM) -> str:
    """Make a token for one host application; it is told this once.

    Raises:
        IngestRefused: when the name cannot be used or is taken.
    """
    name = name.strip()
    if not 1 <= len(name) <= 100:
        raise IngestRefused("the name must have 1 to 100 characters")
    token = PREFIX + secrets.token_urlsafe(32)
    try:
        with write_transaction(db.session) as session:
            made = IngestToken(name=name, token_hash=_hash(token), created_at=now)
            session.add(made)
            session.flush()
            audit.record(session, actor, AuditAction.ADDED, AuditKind.TOKEN, made.id, name, now)
    except IntegrityError as error:
        raise IngestRefused(f"there is, or was, a token for {name!r} already; choose another name") from error
    return token


def revoke_token(name: str, now: datetime, actor: Actor = SYSTEM) -> None:
    """End the token of a host application.

    Raises:
        IngestRefused: when there is none that is valid.
    """
    with write_transaction(db.session) as session:
        chosen = (IngestToken.name == name.strip(), IngestToken.revoked_at.is_(None))
        ended = session.scalar(update(IngestToken).where(*chosen).values(revoked_at=now).returning(IngestToken.id))
        if ended is None:
            raise IngestRefused(f"there is no valid token for {name!r}")
        audit.record(session, actor, AuditAction.DELETED, AuditKind.TOKEN, ended, name.strip(), now)


def is_valid_token(token: str) -> bool:
    """Whether a host application may report with this token."""
    chosen = select(IngestToken.id).where(IngestToken.token_hash == _hash(token), IngestToken.revoked_at.is_(None))
    return db.session.scalar(chosen) is not None


def ingest_address(public_url: str) -> str:
    """Where host applications report to."""
    return public_url + INGEST_PATH


def take_batch(document: bytes) -> int:
    """Put a batch into the stream; how many requests are in it.

    Raises:
        ValueError: when it is none; the message says what is wrong with it.
        CannotTake: while Redis is away or the stream is full.
    """
    batch = decode_batch(document)
    try:
        RedisStream(redis_connection()).send(document)
    except (RedisError, TransportError, OSError) as error:
        raise CannotTake(type(error).__name__) from error
    return len(batch.records)


def _hash(token: str) -> bytes:
    # A token is long and random, so a plain hash is enough.
    return hashlib.sha256(token.encode()).digest()
