"""The answer to one request, measured on its way out: headers added, bytes counted, its end noticed in any case.

All of this runs inside of requests, so it is written for few calls and few objects.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from statusapp.tracking.body import BodyTap
from statusapp.tracking.errors import ErrorNote, describe
from statusapp.tracking.known_texts import REFUSED_ID_KEY
from statusapp.tracking.request_ids import choose_request_id, request_id_var

if TYPE_CHECKING:
    from wsgiref.types import StartResponse

# In the WSGI environment: the request's id, and with it the sign that the request is being tracked already.
REQUEST_ID_KEY = "statusapp.request_id"

# The spellings that occur: to ask for each header in lower case would take longer than all the rest here.
_OURS = frozenset("X-Request-ID X-Request-Id x-request-id X-Response-Time x-response-time".split())  # noqa: SIM905
_clock = time.perf_counter_ns


class Answer:
    """The iterable that a server gets, around the application's own, whose `close` is called exactly once.

    Attributes:
        started_ns: wall clock, nanoseconds since the epoch.
        begun: `perf_counter_ns` of the same instant.
        last_byte: of the end of the body; 0 until then.
        status: the status line; empty until the application says one.
        headers: those of the answer.
        sent: bytes of the body.
        error: the exception that went through to the server, or that the application gave to start_response.
        has_failed: whether an exception went through to the server.
        tap: what has read the request's body, if there is one.
    """

    __slots__ = (
        "_ended", "_has_ended", "_inner", "_next", "_start", "_write", "begun", "environ", "error", "has_failed",
        "headers", "last_byte", "request_id", "sent", "started_ns", "status", "tap",
    )  # fmt: skip

    def __init__(self, environ: dict[str, Any], start: StartResponse, ended: Callable[[Answer], None] | None) -> None:
        """`ended` is told once, when the answer is through."""
        self.begun = _clock()
        self.started_ns = time.time_ns()
        self.environ = environ
        self._start = start
        self._ended = ended
        self._has_ended = self.has_failed = False
        self.last_byte = self.sent = 0
        self.status = ""
        self.headers: Sequence[tuple[str, str]] = ()
        self.error: ErrorNote | None = None
        self.tap: BodyTap | None = None
        self._inner: Iterable[bytes] | None = None
        given = environ.get("HTTP_X_REQUEST_ID")
        self.request_id = request_id = choose_request_id(given)
        if given is not None and given != request_id:
            environ[REFUSED_ID_KEY] = given
        environ[REQUEST_ID_KEY] = environ["HTTP_X_REQUEST_ID"] = request_id
        request_id_var.set(request_id)

    def start_response(
        self, status: str, headers: list[tuple[str, str]], exc_info: Any = None, /
    ) -> Callable[[bytes], object]:
        """The server's start_response (PEP 3333), with our two headers in the place of the application's own."""
        try:
            if exc_info:
                self.error = describe(exc_info[1])
            added = [header for header in headers if header[0] not in _OURS]
            added.append(("X-Request-ID", self.request_id))
            added.append(("X-Response-Time", f"{(_clock() - self.begun) / 1e9:.6f}s"))
        except Exception:
            added = headers  # They are no headers; the server says so.
        try:
            self._write = self._start(status, added, exc_info) if exc_info else self._start(status, added)
        finally:
            exc_info = None  # Else a circle of references would keep its frames alive.
        self.status, self.headers = status, added
        return self.write

    def write(self, data: bytes) -> None:
        """The server's write (PEP 3333)."""
        self._write(data)
        self.sent += len(data)

    def around(self, inner: Iterable[bytes]) -> Answer:
        """This answer, with the application's iterable in it."""
        self._inner = inner
        if isinstance(inner, (list, tuple)):
            self.__class__ = SizedAnswer
        return self

    def __iter__(self) -> Answer:
        try:
            self._next = iter(self._inner or ()).__next__
        except BaseException as error:
            self.fail(error)
            raise
        return self

    def __next__(self) -> bytes:
        try:
            chunk = self._next()
        except StopIteration:
            self.last_byte = _clock()
            raise
        except BaseException as error:
            self.fail(error)
            raise
        self.sent += len(chunk)
        return chunk

    def close(self) -> None:
        """Close the application's iterable, and with it the answer."""
        inner, self._inner = self._inner, None
        close = getattr(inner, "close", None)
        if close is not None:
            try:
                close()
            except BaseException as error:
                self.fail(error)
                raise
        self.end()

    def fail(self, error: BaseException) -> None:
        """An exception is on its way to the server, which ends the answer."""
        self.has_failed = True
        try:
            self.error = describe(error)
        except Exception:  # noqa: S110 - what cannot be described is recorded without
            pass
        self.end()

    def end(self) -> None:
        """The answer is through. Only the first call counts."""
        if self._has_ended:
            return
        self._has_ended = True
        if not self.last_byte and self.is_bodiless:
            self.last_byte = _clock()
        if self._ended is not None:
            self._ended(self)
        if not self.has_failed:
            # After a failure it stays: the server is about to log the exception, and shall do so with the id.
            request_id_var.set("")

    @property
    def is_bodiless(self) -> bool:
        """Whether the body of this answer may be left alone by a server: HEAD, 204, 304."""
        return self.environ.get("REQUEST_METHOD") == "HEAD" or self.status[:3] in ("204", "304")

    @property
    def declared_size(self) -> int | None:
        """The size of the body by its Content-Length; None where it has none."""
        for name, value in self.headers:
            if name.lower() == "content-length":
                return int(value) if value.isascii() and value.isdigit() else None
        return None

    def end_file(self, *, was_cut_off: bool) -> None:
        """A file is through that the server has sent by its own means, so that nobody could count its bytes."""
        if not was_cut_off:
            self.last_byte = _clock()
            self.sent = 0 if self.is_bodiless else self.declared_size or 0
        self.end()


class SizedAnswer(Answer):
    """That of an application that gives a list. Servers make a Content-Length of a list with one item."""

    __slots__ = ()

    def __len__(self) -> int:
        return len(self._inner)  # type: ignore[arg-type]  # A list or a tuple, until it is closed.
