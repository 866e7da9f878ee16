"""Requests from the stream into the database: each batch once, in short transactions, with their sums.

Host applications, and the ingest address, add batches to a bounded stream in Redis. A batch is deleted there after it
has been stored; its number is kept beside its requests, so that one that is met again is not counted again.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any

from flask import current_app
from redis import RedisError
from sqlalchemy import delete, text

from config import Settings
from statusapp.database import write_connection
from statusapp.domain.instants import to_us
from statusapp.extensions import db, redis_connection
from statusapp.models import RequestBatch
from statusapp.services.request_writing import RequestWriter
from statusapp.tracking.wire import STREAM_FIELD, STREAM_KEY, Batch, decode_batch

# So many batches, of up to 500 requests each, are one transaction of some tens of milliseconds.
BATCHES_AT_ONCE = 4
LONGEST_RUN_S = 30.0
# A sender gives up on a batch long before that.
BATCHES_REMEMBERED = timedelta(days=1)

_NOTE_LOSS = text("""
INSERT INTO request_loss (id, dropped, unreadable, last_at) VALUES (1, :dropped, :unreadable, :now)
ON CONFLICT (id) DO UPDATE SET
    dropped = request_loss.dropped + excluded.dropped,
    unreadable = request_loss.unreadable + excluded.unreadable,
    last_at = CASE WHEN excluded.dropped + excluded.unreadable > 0 THEN excluded.last_at ELSE request_loss.last_at END
""")
_REMEMBER = text("INSERT INTO request_batch (id, stored_at) VALUES (:id, :now) ON CONFLICT (id) DO NOTHING")


def store_requests(now: datetime) -> str:
    """Store what waits in the stream, for half a minute at the most; says how much that was."""
    settings: Settings = current_app.config["SETTINGS"]
    client, deadline = redis_connection(), time.monotonic() + LONGEST_RUN_S
    writer = RequestWriter(settings.slow_request_ms * 1000, settings.secret_key, to_us(now))
    stored = 0
    try:
        while time.monotonic() < deadline:
            entries: Any = client.xrange(STREAM_KEY, count=BATCHES_AT_ONCE)
            if not entries:
                break
            stored += _store(writer, [fields for _, fields in entries], to_us(now))
            client.xdel(STREAM_KEY, *(key for key, _ in entries))
    except RedisError as error:
        return f"{stored} requests, then Redis was away ({type(error).__name__})"
    with write_connection(db.engine) as connection:
        connection.execute(delete(RequestBatch).where(RequestBatch.stored_at < to_us(now - BATCHES_REMEMBERED)))
    return f"{stored} requests"


def _store(writer: RequestWriter, entries: list[dict[bytes, bytes]], now: int) -> int:
    """Store some entries of the stream in one transaction; how many requests were in them that are new."""
    batches, unreadable = _decoded(entries)
    with write_connection(db.engine) as connection:
        fresh = [
            batch
            for batch in batches
            if not batch.id or connection.execute(_REMEMBER, {"id": batch.id, "now": now}).rowcount == 1
        ]
        dropped = sum(batch.dropped for batch in fresh)
        # Always, because whoever else stores at this moment waits at this row.
        connection.execute(_NOTE_LOSS, {"dropped": dropped, "unreadable": unreadable, "now": now})
        writer.write(connection, fresh)
    return sum(len(batch.records) for batch in fresh)


def _decoded(entries: list[dict[bytes, bytes]]) -> tuple[list[Batch], int]:
    """The batches in some entries, and how many entries are none."""
    batches: list[Batch] = []
    for fields in entries:
        document: Any = fields.get(STREAM_FIELD.encode(), b"")
        try:
            batches.append(decode_batch(document))
        except ValueError:
            continue
    return batches, len(entries) - len(batches)
