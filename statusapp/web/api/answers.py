"""Answers as JSON with an ETag, and changes that are made only to what the client has read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from flask import Response, jsonify, request

from statusapp.domain.enums import AuditKind
from statusapp.services.conditions import only_if
from statusapp.web.api.problems import CHANGED, Problem


def tag_of(data: Any) -> str:
    """A short text that is another one when the data is."""
    return hashlib.sha256(json.dumps(data, sort_keys=True, default=str).encode()).hexdigest()[:20]


def answer(
    data: Any, *, version: Any = None, status: int = 200, is_written: bool = True, for_everybody: bool = False
) -> Response:
    """Data that may be kept by whoever asked, to be asked for again each time; 304 while it is the same.

    Args:
        version: what `If-Match` is held against, where that is less than all of the data: a service is checked while
            somebody edits it, and that must not get in the way.
        is_written: whether clients write it. What they only read needs no version of its own beside its bytes.
        for_everybody: whether it is what a stranger sees, so that it may be kept for others.
    """
    response = jsonify(data)
    response.status_code = status
    response.headers["Cache-Control"] = "no-cache" if for_everybody else "private, no-cache"
    # A stranger is told less: what is kept for one is not for somebody who shows a cookie or a token.
    response.vary.update(("Authorization", "Cookie"))
    if not is_written:
        response.set_etag(hashlib.sha256(response.get_data()).hexdigest()[:20])
    else:
        response.set_etag(tag_of(data) if version is None else f"{tag_of(version)}.{tag_of(data)}")
    if status == 200:
        response.make_conditional(request)
    return response


@contextmanager
def unchanged(kind: AuditKind, key: int | None, version: Callable[[], Any]) -> Iterator[None]:
    """Make the change in here only to what the client has read, if it says what that is (`If-Match`).

    Of several that have read the same, at once or not, one makes its change.

    Args:
        key: the id of what is changed; None for settings and rules.
        version: reads the part of it that is written.

    Raises:
        Problem: 412, when it was changed meanwhile.
    """

    def check() -> None:
        _check(version())

    # At first without a lock: most of those that come too late are told so for little.
    check()
    if not request.if_match or request.if_match.star_tag:
        yield
        return
    with only_if(kind, key, check):
        yield


def _check(version: Any) -> None:
    if not request.if_match or request.if_match.star_tag:
        return
    current = tag_of(version)
    # What is no ETag at all is None there.
    if not any((tag or "").partition(".")[0] == current for tag in request.if_match.as_set()):
        raise Problem(412, CHANGED)


def created(data: Any, location: str, *, version: Any = None) -> Response:
    """What has just been made, and where it is."""
    response = answer(data, version=version, status=201)
    response.headers["Location"] = location
    return response


def nothing() -> Response:
    """It is done and there is nothing to show."""
    return Response(status=204)
