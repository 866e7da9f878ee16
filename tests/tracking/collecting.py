"""A transport that keeps what it is given, and a client for WSGI applications that asks no server."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from wsgiref.util import setup_testing_defaults

from statusapp.tracking import RequestTracking, TrackingOptions
from statusapp.tracking.fields import Record
from statusapp.tracking.wire import Batch, decode_batch


class Collected:
    """Every batch, decoded as the server does it."""

    def __init__(self) -> None:
        self.documents: list[bytes] = []

    def send(self, document: bytes) -> None:
        """Keep it."""
        self.documents.append(document)

    def reset(self) -> None:
        """A fork keeps what there was."""

    def close(self) -> None:
        """There is nothing to close."""

    @property
    def batches(self) -> list[Batch]:
        """What was sent."""
        return [decode_batch(document) for document in self.documents]

    @property
    def records(self) -> list[Record]:
        """All records of all batches."""
        return [record for batch in self.batches for record in batch.records]


class Tracked:
    """An application with tracking around it; `call` and then `record` or `records`."""

    def __init__(self, app: Any, options: TrackingOptions | None = None) -> None:
        self.collected = Collected()
        self.tracking = RequestTracking(app, self.collected, options)

    def call(self, path: str = "/", **environ: Any) -> Answered:
        """Make a request and read its answer to the end."""
        return ask(self.tracking, path, **environ)

    @property
    def records(self) -> list[Record]:
        """The records of all requests so far."""
        assert self.tracking.flush(10)
        return self.collected.records

    @property
    def record(self) -> Record:
        """That of the one request there was."""
        (record,) = self.records
        return record


class Answered:
    """What a server has got from an application."""

    def __init__(self) -> None:
        self.status = ""
        self.headers: dict[str, str] = {}
        self.header_list: list[tuple[str, str]] = []
        self.body = b""

    def start_response(
        self, status: str, headers: list[tuple[str, str]], exc_info: Any = None
    ) -> Callable[[bytes], None]:
        """The server's start_response: what was sent cannot be taken back."""
        if exc_info and self.body:
            raise exc_info[1]
        self.status, self.header_list, self.headers = status, headers, dict(headers)
        return self._write

    def _write(self, data: bytes) -> None:
        self.body += data


def environ_of(path: str = "/", **more: Any) -> dict[str, Any]:
    """A WSGI environment. `body` becomes the request's body; other names are taken as they are."""
    body = more.pop("body", b"")
    environ: dict[str, Any] = {
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "REMOTE_ADDR": "203.0.113.77",
        **more,
    }
    environ["wsgi.input"] = io.BytesIO(body)
    if body:
        environ.setdefault("CONTENT_LENGTH", str(len(body)))
        environ.setdefault("REQUEST_METHOD", "POST")
    setup_testing_defaults(environ)
    return environ


def ask(app: Any, path: str = "/", **environ: Any) -> Answered:
    """Make a request as a server does."""
    answered = Answered()
    body: Iterable[bytes] = app(environ_of(path, **environ), answered.start_response)
    try:
        for chunk in body:
            answered.body += chunk
    finally:
        close = getattr(body, "close", None)
        if close is not None:
            close()
    return answered


def answer_with(
    body: Any = (b"ok",), status: str = "200 OK", headers: Iterable[tuple[str, str]] = (("Content-Type", "text/plain"),)
) -> Any:
    """An application that gives this answer."""

    def app(_environ: dict[str, Any], start_response: Any) -> Any:
        start_response(status, list(headers))
        return body() if callable(body) else body

    return app


class Streamed:
    """An iterable that counts how often it is closed."""

    def __init__(self, chunks: Any) -> None:
        self._chunks = iter(chunks)
        self.closed = 0

    def __iter__(self) -> Iterator[bytes]:
        return self._chunks

    def close(self) -> None:
        self.closed += 1


def failing_after(chunks: list[bytes], error: BaseException) -> Iterator[bytes]:
    """A stream that breaks."""
    yield from chunks
    raise error
