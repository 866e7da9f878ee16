"""Route templates as they are kept: no ids in them, and not more of them than can be told apart."""

from __future__ import annotations

import re

from statusapp.tracking.fields import MAX_ROUTE, TOO_MANY, UNKNOWN

MOST_ROUTES = 1000
PLACEHOLDER = "{id}"

# Segments that are no part of a template but somebody's number, UUID, hash or token.
_ID = re.compile(
    r"\d+|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{16,}|[^<>{}():*\[\]]{41,}|[^/]*[@%=].*", re.I
)
# Parts of templates of Flask, Django and others.
_TEMPLATE = re.compile(r"[<{(:*]")


class Routes:
    """The routes of one process. Each is looked at once."""

    def __init__(self) -> None:
        self._kept: dict[str, str] = {}

    def keep(self, route: str) -> str:
        """The route as it goes into records; TOO_MANY for those beyond MOST_ROUTES, whose templates are none."""
        kept = self._kept.get(route)
        if kept is None:
            if len(self._kept) >= MOST_ROUTES:
                return TOO_MANY
            kept = self._kept[route] = _safe(route)
        return kept


def _safe(route: str) -> str:
    """A route without what looks like an id. Host applications may say what their routes are, and may be mistaken."""
    text = "/".join(
        PLACEHOLDER if _TEMPLATE.search(part) is None and _ID.fullmatch(part) else part for part in route.split("/")
    )
    text = "".join(char if char.isprintable() else " " for char in text[:MAX_ROUTE])
    return text or UNKNOWN
