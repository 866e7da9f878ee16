"""The document in which records travel from a host to the server: the same in the Redis stream and over HTTP.

JSON in UTF-8, as it is or deflated (zlib, RFC 1950), at most MAX_DOCUMENT_BYTES before and after inflating:

    {"v": 1, "id": "4f...", "service": "shop", "host": "web-1", "dropped": 0, "records": [[...], ...]}

`id` is one of its own for each batch and stays the same when a batch is sent again, so that a receiver can tell that it
has it already. `dropped` counts the records that were lost since the batch before. A record is a list of the fields of
`fields.Record`, in their order; a text that is not known is empty. In the Redis stream a batch is one entry with the
one field STREAM_FIELD; whoever reads the stream deletes what it has stored.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from statusapp.tracking.fields import Record, record_of

VERSION = 1
STREAM_KEY = "statusapp:requests"
STREAM_FIELD = "batch"
INGEST_PATH = "/health/api/ingest/requests"

MAX_RECORDS = 500
MAX_DOCUMENT_BYTES = 1_000_000
# Deflating less than this saves nothing.
DEFLATE_FROM = 1000

MAX_SERVICE = MAX_HOST = 64  # Characters, as all lengths of texts.
MAX_BATCH_ID = 64
MAX_DROPPED = 2**53

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


@dataclass(frozen=True, slots=True)
class Batch:
    """What one process of a host has to tell."""

    service: str
    host: str
    dropped: int = 0
    records: Sequence[Record] = field(default=())
    id: str = ""


def encode_rows(rows: list[Any]) -> str:
    """Rows, whose fields are in the order and within the limits of `Record`, as a part for `join_batch`."""
    return _encode(rows)[1:-1]


def join_batch(head: Batch, parts: Iterable[str]) -> bytes:
    """The document of a batch whose records are encoded already; those in `head` are not looked at."""
    before = _encode({"v": VERSION, "id": head.id, "service": head.service, "host": head.host, "dropped": head.dropped})
    document = f'{before[:-1]},"records":[{",".join(parts)}]}}'.encode()
    return document if len(document) < DEFLATE_FROM else zlib.compress(document, 1)


def encode_batch(batch: Batch) -> bytes:
    """The document of a batch."""
    return join_batch(batch, [encode_rows(list(batch.records))] if batch.records else [])


def decode_batch(document: bytes) -> Batch:
    """The batch that a document is.

    Raises:
        ValueError: when it is anything but a batch within all limits; the message says what is wrong with it.
    """
    values = _read_json(_inflated(document))
    if not isinstance(values, dict) or values.get("v") != VERSION:
        raise ValueError(f"a batch is an object with v = {VERSION}")
    unknown = values.keys() - {"v", "id", "service", "host", "dropped", "records"}
    if unknown:
        raise ValueError(f"a batch has no field {sorted(unknown)[0][:40]!r}")
    rows = values.get("records")
    if not isinstance(rows, list) or len(rows) > MAX_RECORDS:
        raise ValueError(f"records must be a list of at most {MAX_RECORDS}")
    dropped = values.get("dropped")
    if type(dropped) is not int or not 0 <= dropped <= MAX_DROPPED:
        raise ValueError("dropped must be a whole number that is not negative")
    return Batch(
        service=_text(values, "service", 1, MAX_SERVICE),
        host=_text(values, "host", 1, MAX_HOST),
        dropped=dropped,
        records=[record_of(number, row) for number, row in enumerate(rows)],
        id=_text({"id": "", **values}, "id", 0, MAX_BATCH_ID),
    )


def _inflated(document: bytes) -> bytes:
    """The JSON of a document, whichever form it has."""
    if len(document) > MAX_DOCUMENT_BYTES:
        raise ValueError(f"a batch is at most {MAX_DOCUMENT_BYTES} bytes, not {len(document)}")
    if document[:1] != b"\x78":
        return document
    inflater = zlib.decompressobj()
    try:
        plain = inflater.decompress(document, MAX_DOCUMENT_BYTES)
    except zlib.error as error:
        raise ValueError("the batch cannot be inflated") from error
    if not inflater.eof or inflater.unused_data:
        raise ValueError(f"the batch is cut off, or over {MAX_DOCUMENT_BYTES} bytes when inflated")
    return plain


def _read_json(document: bytes) -> Any:
    try:
        return json.loads(document.decode())
    except RecursionError as error:
        raise ValueError("the batch is nested too deeply") from error
    except ValueError as error:
        raise ValueError("the batch is not JSON in UTF-8") from error


def _text(values: dict[str, Any], name: str, least: int, most: int) -> str:
    value = values.get(name)
    if not isinstance(value, str) or not least <= len(value) <= most or not value.isprintable():
        raise ValueError(f"{name} must be a text of {least} to {most} printable characters")
    return value
