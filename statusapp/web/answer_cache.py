"""What everybody sees alike is made once and given to all who ask within a moment, compressed and with an ETag.

It stands between request tracking and Flask, so that a crowd costs next to nothing. Each process keeps its own.
"""

from __future__ import annotations

import gzip
import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# Everything below these is the same for everybody, but for the API's, which knows who is signed in.
PUBLIC = ("/health/status-page", "/api/v2/", "/badges/", "/health/api/overview/", "/health/api/endpoints/")
FOR_SIGNED_IN = "/health/api/"
# Here every argument matters, and one that is not known is told.
LISTS = "/health/api/endpoints/"
STATIC = "/static/"
# The arguments that change an answer; whatever else an address has does not make it another page.
ARGUMENTS = frozenset({"span", "month", "label", "v"})
VARY_SIGNED_IN = "Accept-Encoding, Authorization, Cookie"
STATIC_FRESH_S = 3600.0
# An answer is kept at least so many times as long as it took to make, so that a slow one cannot fill a core.
TIMES_MAKING = 3.0
# While one thread makes the next answer, the others give the last one, for so long.
STALE_S = 5.0
MOST_ENTRIES = 512
# Lists have room of their own: whoever walks through all that may be asked of them drives nothing else out.
MOST_LISTS = 64
LONGEST_QUERY = 500
LARGEST = 4 * 1024 * 1024
COMPRESS_FROM = 500
COMPRESSIBLE = (
    "text/",
    "application/json",
    "application/javascript",
    "application/atom+xml",
    "application/rss+xml",
    "image/svg+xml",
)
# `Vary: Cookie` stands on everything that Flask-Login has looked at; what is kept is the same with any cookie.
_OWN_HEADERS = ("content-length", "etag", "accept-ranges", "date", "vary")
# How many requests are left is told to whoever is counted; what is kept costs nothing and counts for nobody.
_COUNTS = "ratelimit-"
_SAFE = ("GET", "HEAD", "OPTIONS")
# What programs send all the time and no page shows at once.
_FREQUENT = ("/ping/", "/health/api/ingest/")

Key = tuple[str, str, str, str]
Headers = list[tuple[str, str]]


@dataclass(slots=True)
class Answer:
    """An answer as it is given out again."""

    headers: Headers
    body: bytes
    compressed: bytes | None
    etag: str
    route: str | None
    fresh_until: float


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that is for whoever asked alone: a redirect, an error, what a cookie goes with."""

    status: str
    headers: Headers
    body: bytes


@dataclass(slots=True)
class _Entry:
    """The last answer to a key, and the lock of who makes the next one."""

    making: threading.Lock = field(default_factory=threading.Lock)
    answer: Answer | None = None


class AnswerCache:
    """WSGI middleware that keeps answers with status 200 whose Cache-Control lets a shared cache keep them.

    Args:
        app: what makes the answers.
        fresh_s: how long an answer is given out without asking `app` again; 0 keeps none.
        route_key: where in the environment `app` leaves its route for request tracking.
    """

    def __init__(self, app: WSGIApplication, fresh_s: float, route_key: str) -> None:
        self._app = app
        self._route_key = route_key
        self._fresh_s = fresh_s
        self._entries: OrderedDict[Key, _Entry] = OrderedDict()
        self._lists: OrderedDict[Key, _Entry] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        key = self._key(environ)
        if key is None:
            return self._pass(environ, start_response)
        entry = self._entry(key)
        last = entry.answer
        is_fresh = last is not None and time.monotonic() < last.fresh_until
        answer = last if last is not None and is_fresh else self._next(entry, last, key, environ)
        if isinstance(answer, Answer):
            if answer.route is not None:
                environ[self._route_key] = answer.route
            return _give(answer, environ, start_response)
        start_response(answer.status, answer.headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [answer.body]

    def clear(self) -> None:
        """Forget every answer but those of static files."""
        with self._lock:
            self._lists.clear()
            for key in [key for key in self._entries if not key[2].startswith(STATIC)]:
                del self._entries[key]

    def _pass(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Leave a request to the application. What an operator has just changed is to be seen at once."""
        if environ["REQUEST_METHOD"] in _SAFE or environ.get("PATH_INFO", "").startswith(_FREQUENT):
            return self._app(environ, start_response)
        answer = self._app(environ, start_response)
        self.clear()
        return answer

    def _key(self, environ: WSGIEnvironment) -> Key | None:
        path = environ.get("PATH_INFO", "")
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD") or "HTTP_RANGE" in environ:
            return None
        is_alike = path.startswith(STATIC) or (bool(self._fresh_s) and path.startswith(PUBLIC))
        if path.startswith(FOR_SIGNED_IN):
            is_alike = is_alike and "HTTP_COOKIE" not in environ and "HTTP_AUTHORIZATION" not in environ
        if path.startswith(LISTS) and len(environ.get("QUERY_STRING", "")) > LONGEST_QUERY:
            return None
        if not is_alike:
            return None
        # Links in feeds lead to where they were asked for.
        return (environ["wsgi.url_scheme"], environ.get("HTTP_HOST", ""), path, _arguments(environ))

    def _entry(self, key: Key) -> _Entry:
        kept, most = self._shelf(key)
        with self._lock:
            entry = kept.setdefault(key, _Entry())
            kept.move_to_end(key)
            if len(kept) > most:
                kept.popitem(last=False)
            return entry

    def _shelf(self, key: Key) -> tuple[OrderedDict[Key, _Entry], int]:
        """Where an answer is kept, and how many have room there."""
        return (self._lists, MOST_LISTS) if key[2].startswith(LISTS) else (self._entries, MOST_ENTRIES)

    def _next(self, entry: _Entry, last: Answer | None, key: Key, environ: WSGIEnvironment) -> Answer | Refusal:
        """The answer that follows: made by one thread while others take the last one, or wait where there is none."""
        if last is not None and time.monotonic() < last.fresh_until + STALE_S:
            if not entry.making.acquire(blocking=False):
                return last
        else:
            entry.making.acquire()
        try:
            found = entry.answer
            if found is not None and time.monotonic() < found.fresh_until:
                return found
            made = self._make(key, environ)
            if isinstance(made, Answer):
                entry.answer = made
            else:
                self._forget(key, entry)
            return made
        finally:
            entry.making.release()

    def _forget(self, key: Key, entry: _Entry) -> None:
        kept, _ = self._shelf(key)
        with self._lock:
            if kept.get(key) is entry:
                del kept[key]

    def _make(self, key: Key, environ: WSGIEnvironment) -> Answer | Refusal:
        asked = dict(environ, REQUEST_METHOD="GET", QUERY_STRING=key[3])
        # It is the whole answer that is kept.
        for condition in ("HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE"):
            asked.pop(condition, None)
        began = time.monotonic()
        status, headers, body = _collect(self._app, asked)
        took_s = time.monotonic() - began
        environ.update({name: value for name, value in asked.items() if name.startswith("statusapp.")})
        if not _may_be_kept(status, headers, body):
            return Refusal(status, headers, body)
        fresh_s = STATIC_FRESH_S if key[2].startswith(STATIC) else max(self._fresh_s, TIMES_MAKING * took_s)
        differs_by = VARY_SIGNED_IN if key[2].startswith(FOR_SIGNED_IN) else "Accept-Encoding"
        return _keep(headers, body, asked.get(self._route_key), time.monotonic() + fresh_s, differs_by)


def _arguments(environ: WSGIEnvironment) -> str:
    text: str = environ.get("QUERY_STRING", "")
    if not text or environ.get("PATH_INFO", "").startswith(LISTS):
        return text
    return urlencode(sorted(pair for pair in parse_qsl(text, keep_blank_values=True) if pair[0] in ARGUMENTS))


def _collect(app: WSGIApplication, environ: WSGIEnvironment) -> tuple[str, Headers, bytes]:
    """All of an application's answer."""
    begun: list[tuple[str, Headers]] = []
    parts: list[bytes] = []

    def start_response(status: str, headers: Headers, _error: object = None) -> object:
        begun.append((status, headers))
        return parts.append

    chunks = app(environ, start_response)  # type: ignore[arg-type]
    try:
        parts.extend(chunks)
    finally:
        close = getattr(chunks, "close", None)
        if close is not None:
            close()
    status, headers = begun[-1]
    return status, headers, b"".join(parts)


def _may_be_kept(status: str, headers: Headers, body: bytes) -> bool:
    found = {name.lower(): value for name, value in headers}
    control = found.get("cache-control", "no-store")
    is_private = "no-store" in control or "private" in control or "set-cookie" in found
    return status.startswith("200") and not is_private and len(body) <= LARGEST


def _keep(headers: Headers, body: bytes, route: str | None, fresh_until: float, differs_by: str) -> Answer:
    kind = next((value for name, value in headers if name.lower() == "content-type"), "")
    names = [name.lower() for name, _ in headers]
    kept = [
        header
        for name, header in zip(names, headers, strict=True)
        if name not in _OWN_HEADERS and not name.startswith(_COUNTS)
    ]
    compressed = None
    if kind.startswith(COMPRESSIBLE):
        kept.append(("Vary", differs_by))
        if len(body) >= COMPRESS_FROM:
            compressed = gzip.compress(body, 6, mtime=0)
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    return Answer([*kept, ("ETag", etag)], body, compressed, etag, route, fresh_until)


def _give(answer: Answer, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    if _knows(environ.get("HTTP_IF_NONE_MATCH"), answer.etag):
        start_response("304 Not Modified", [pair for pair in answer.headers if pair[0].lower() != "content-type"])
        return []
    headers, body = list(answer.headers), answer.body
    if answer.compressed is not None and "gzip" in environ.get("HTTP_ACCEPT_ENCODING", ""):
        headers.append(("Content-Encoding", "gzip"))
        body = answer.compressed
    headers.append(("Content-Length", str(len(body))))
    start_response("200 OK", headers)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]


def _knows(condition: str | None, etag: str) -> bool:
    """Whether If-None-Match names the answer (RFC 9110, 13.1.2: compared weakly)."""
    return condition is not None and (condition.strip() == "*" or etag in condition)
