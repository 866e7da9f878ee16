"""Batches out of what waits in the buffer, made a little at a time, so that no request waits for the interpreter."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections import deque
from typing import Any, NamedTuple

from statusapp.tracking.options import TrackingOptions
from statusapp.tracking.records import Noted, RowMaker
from statusapp.tracking.wire import MAX_HOST, MAX_RECORDS, Batch, encode_rows, join_batch

logger = logging.getLogger("statusapp.tracking")

# So many records are made into rows at a time, about a tenth of a millisecond's work; then requests have their turn.
SLICE = 20
SLICE_PAUSE_S = 0.0003
# At four bytes each this is less than wire.MAX_DOCUMENT_BYTES.
MAX_CHARACTERS = 200_000


class Packed(NamedTuple):
    """A batch to be shipped: its document, how many records are in it, and how many of ours could not be made."""

    document: bytes
    records: int
    lost: int


class Packer:
    """Makes batches by the options of a host."""

    def __init__(self, options: TrackingOptions) -> None:
        self._rows = RowMaker(options)
        self._service = options.service
        self._host = options.host

    def pack(self, buffer: deque[Noted], dropped: int, *, hurry: bool) -> Packed:
        """Take as many records out of `buffer` as go into one batch.

        Args:
            dropped: how many records were lost since the batch before.
            hurry: make no pauses.
        """
        self._rows.begin_batch()
        parts: list[str] = []
        records = lost = characters = 0
        while buffer and records + lost < MAX_RECORDS and characters < MAX_CHARACTERS:
            wanted = min(SLICE, len(buffer), MAX_RECORDS - records - lost)
            rows = self._rows_of([buffer.popleft() for _ in range(wanted)])
            lost += wanted - len(rows)
            if rows:
                records += len(rows)
                parts.append(encode_rows(rows))
                characters += len(parts[-1])
            if buffer and not hurry:
                time.sleep(SLICE_PAUSE_S)
        head = Batch(self._service, self._host_name(), dropped, id=os.urandom(8).hex())
        return Packed(join_batch(head, parts), records, lost)

    def _rows_of(self, several: list[Noted]) -> list[Any]:
        rows: list[Any] = []
        for noted in several:
            try:
                rows.append(self._rows.row(noted))
            except Exception:
                # A fault of ours, with whatever an application has put into a request: the others go on.
                logger.exception("a request record was lost")
        return rows

    def _host_name(self) -> str:
        if not self._host:
            name = "".join(char for char in socket.gethostname() if char.isprintable())
            self._host = name[:MAX_HOST] or "unknown"
        return self._host
