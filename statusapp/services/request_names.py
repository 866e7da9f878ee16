"""The names that requests have in common: routes and hosts, each written once."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, select, text

from statusapp.database import write_transaction
from statusapp.domain.actors import SYSTEM, Actor
from statusapp.domain.enums import AuditAction, AuditKind
from statusapp.extensions import db
from statusapp.models import TrackedRoute
from statusapp.services import audit
from statusapp.tracking.fields import TOO_MANY

# A service with more templates than this has none; what is beyond counts as one route.
MOST_ROUTES = 2000

_ADD_ROUTE = text("""
INSERT INTO tracked_route (service, method, route) VALUES (:service, :method, :route)
ON CONFLICT (service, method, route) DO NOTHING
""")
_FIND_ROUTE = text("""
SELECT id, slow_ms FROM tracked_route WHERE service = :service AND method = :method AND route = :route
""")
_COUNT_ROUTES = text("SELECT COUNT(*) FROM tracked_route WHERE service = :service")
_ADD_HOST = text("INSERT INTO tracked_host (name) VALUES (:name) ON CONFLICT (name) DO NOTHING")
_FIND_HOST = text("SELECT id FROM tracked_host WHERE name = :name")


class Route(NamedTuple):
    """A route as rows name it, and its own threshold in microseconds, when it has one."""

    id: int
    slow_us: int | None


class Names:
    """Finds the ids of names, and writes those that are new. Remembers them for as long as it lives."""

    def __init__(self) -> None:
        self._routes: dict[tuple[str, str, str], Route] = {}
        self._hosts: dict[str, int] = {}

    def route(self, connection: Connection, service: str, method: str, route: str) -> Route:
        """A route of a service."""
        key = (service, method, route)
        found = self._routes.get(key)
        if found is None:
            found = self._routes[key] = self._find_route(connection, service, method, route)
        return found

    def host(self, connection: Connection, name: str) -> int:
        """The id of a host."""
        found = self._hosts.get(name)
        if found is None:
            connection.execute(_ADD_HOST, {"name": name})
            found = self._hosts[name] = connection.execute(_FIND_HOST, {"name": name}).scalar_one()
        return found

    def _find_route(self, connection: Connection, service: str, method: str, route: str) -> Route:
        values = {"service": service, "method": method, "route": route}
        row = connection.execute(_FIND_ROUTE, values).first()
        if row is None:
            if route != TOO_MANY and connection.execute(_COUNT_ROUTES, values).scalar_one() >= MOST_ROUTES:
                return self.route(connection, service, method, TOO_MANY)
            connection.execute(_ADD_ROUTE, values)
            row = connection.execute(_FIND_ROUTE, values).one()
        return Route(row.id, None if row.slow_ms is None else row.slow_ms * 1000)


def set_slow_route(
    service: str, method: str, route: str, slow_ms: int | None, now: datetime, actor: Actor = SYSTEM
) -> bool:
    """Give a route a threshold of its own, or take it back; whether there is such a route."""
    chosen = (TrackedRoute.service == service, TrackedRoute.method == method, TrackedRoute.route == route)
    with write_transaction(db.session) as session:
        found = session.scalars(select(TrackedRoute).where(*chosen)).one_or_none()
        if found is None:
            return False
        before, found.slow_ms = {"slow_ms": found.slow_ms}, slow_ms
        name, after = f"{method} {route} of {service}", {"slow_ms": slow_ms}
        audit.record(session, actor, AuditAction.CHANGED, AuditKind.ROUTE, found.id, name, now, before, after)
    return True
