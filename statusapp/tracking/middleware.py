"""`RequestTracking`: around any WSGI application (PEP 3333), one record of each request.

The request path does what cannot be done elsewhere: clocks, ids, counting, one tuple into a buffer. Everything else is
done by the thread that ships (`shipper`).
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from statusapp.tracking.answer import REQUEST_ID_KEY, Answer
from statusapp.tracking.body import BodyTap
from statusapp.tracking.errors import ERROR_KEY, ROUTE_KEY, USER_KEY
from statusapp.tracking.fields import MAX_USER, UNKNOWN, UNMATCHED
from statusapp.tracking.known_texts import texts_of
from statusapp.tracking.options import TrackingOptions
from statusapp.tracking.packing import Packer
from statusapp.tracking.records import Noted
from statusapp.tracking.shipper import Shipper
from statusapp.tracking.transports import Transport

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication

_clock = time.perf_counter_ns


class RequestTracking:
    """A WSGI application that is another one, with each request recorded.

    Every answer gets X-Request-ID and X-Response-Time (until its headers were ready, in seconds, as in "0.012345s").
    Exceptions pass through; an application that is tracked twice is recorded once, by the outermost.
    """

    def __init__(self, app: WSGIApplication, transport: Transport, options: TrackingOptions | None = None) -> None:
        """Starts no thread and opens no connection: that comes with the first request, in each process.

        Args:
            app: the application.
            transport: where records go: `RedisStream`, `HttpIngest`, or one of your own.
            options: settings; without, the defaults.
        """
        self.options = options if options is not None else TrackingOptions()
        self._app = app
        self._shipper = Shipper(Packer(self.options), transport, self.options.buffer_size, self.options.flush_s)
        self._ignored = self.options.ignored_paths
        self._slow_ns = int(self.options.slow_s * 1e9)
        self._sample_rate = self.options.sample_rate
        self._keeps_texts = self.options.keep_messages
        self._keeps_users = self.options.keep_users

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        if REQUEST_ID_KEY in environ:
            return self._app(environ, start_response)
        is_ignored = self._ignored and str(environ.get("PATH_INFO", "")).startswith(self._ignored)
        answer = Answer(environ, start_response, None if is_ignored else self._record)
        if environ.get("CONTENT_LENGTH") or "HTTP_TRANSFER_ENCODING" in environ:
            answer.tap = environ["wsgi.input"] = BodyTap(environ["wsgi.input"])
        try:
            inner = self._app(environ, answer.start_response)
        except BaseException as error:
            answer.fail(error)
            raise
        wrapper = environ.get("wsgi.file_wrapper")
        if isinstance(wrapper, type) and isinstance(inner, wrapper) and _watch_close(inner, answer):
            return inner
        return answer.around(inner)

    @property
    def waiting(self) -> int:
        """How many records of this process are not shipped yet."""
        return self._shipper.waiting

    @property
    def dropped(self) -> int:
        """How many records of this process were lost that no batch has told of yet."""
        return self._shipper.dropped

    def flush(self, timeout_s: float = 1.0) -> bool:
        """Ship what waits in this process now; whether that was done within `timeout_s` seconds."""
        return self._shipper.flush(timeout_s)

    def close(self, timeout_s: float = 1.0) -> bool:
        """Ship what waits, end the thread and close connections; whether all was shipped. A process that ends needs
        none of this: what waits is shipped then by itself, within a second."""
        return self._shipper.close(timeout_s)

    def _record(self, answer: Answer) -> None:
        """Note an answer that is through. Whatever goes wrong here is no trouble of the request's."""
        try:
            status, environ = answer.status, answer.environ
            duration = (answer.last_byte or _clock()) - answer.begun
            if answer.has_failed and not answer.sent:
                status = "500"  # The server's answer to the exception; ours never left.
            is_bad = answer.has_failed or status[:1] == "5"
            weight: float = 1
            if self._sample_rate < 1 and not is_bad and duration < self._slow_ns:
                if random.random() >= self._sample_rate:  # noqa: S311 - nothing depends on its being guessed
                    return
                weight = 1 / self._sample_rate
            self._shipper.add(self._noted(answer, environ, status, duration, weight, is_bad))
        except Exception:
            self._shipper.count_dropped()

    def _noted(
        self, answer: Answer, environ: dict[str, Any], status: str, duration: int, weight: float, is_bad: bool
    ) -> Noted:
        """What is kept of a request."""
        get, tap = environ.get, answer.tap
        error = texts = None
        if is_bad:
            error = answer.error or get(ERROR_KEY)
            if error is not None and self._keeps_texts:
                texts = texts_of(environ, b"" if tap is None else tap.beginning)
        return (
            answer.started_ns,
            duration,
            get("REQUEST_METHOD", ""),
            get(ROUTE_KEY) or self._route(environ),
            status,
            get("CONTENT_LENGTH"),
            0 if tap is None else tap.count,
            answer.sent,
            self._user(environ) if self._keeps_users else "",
            get("REMOTE_ADDR", ""),
            get("HTTP_USER_AGENT", ""),
            answer.request_id,
            "HTTP_X_PROBE_ID" in environ,
            not answer.last_byte and not answer.has_failed,
            weight,
            error,
            texts,
        )

    def _route(self, environ: dict[str, Any]) -> str:
        route_of = self.options.route_of
        if route_of is None:
            return UNKNOWN
        try:
            return str(route_of(environ) or UNMATCHED)
        except Exception:
            return UNKNOWN

    def _user(self, environ: dict[str, Any]) -> str:
        user = environ.get(USER_KEY)
        if user is None and self.options.user_of is not None:
            try:
                user = self.options.user_of(environ)
            except Exception:
                return ""
        return "" if user is None else str(user)[:MAX_USER]


def _watch_close(inner: Any, answer: Answer) -> bool:
    """Notice the end of a file that the server sends by its own means (`wsgi.file_wrapper`), which it does only when it
    gets back the very object that it made. False when that object, or its size, cannot be watched."""
    if answer.declared_size is None:
        return False
    close = getattr(inner, "close", None)
    is_open = True

    def closed() -> None:
        nonlocal is_open
        if not is_open:
            return
        is_open = False
        # The server closes it while the exception of a broken connection is on its way.
        was_cut_off = isinstance(sys.exc_info()[1], OSError)
        try:
            if close is not None:
                close()
        except BaseException as error:
            answer.fail(error)
            raise
        answer.end_file(was_cut_off=was_cut_off)

    try:
        inner.close = closed
    except (AttributeError, TypeError):
        return False  # An object of a server written in C.
    return True
