"""What all answers for machines have in common: kept under an ETag, and open to scripts of every other site."""

from __future__ import annotations

from datetime import datetime

from flask import Response, request


def kept(response: Response, changed_at: datetime | None = None) -> Response:
    """An answer that may be kept but is asked for again each time; 304 while it is the same."""
    response.headers["Cache-Control"] = "no-cache"
    if changed_at is not None:
        response.last_modified = changed_at
    response.add_etag()
    response.make_conditional(request)
    return response


def open_to_every_site(response: Response) -> Response:
    """Everybody may read it anyway, and no answer depends on who asks."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response
