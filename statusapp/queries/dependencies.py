"""Who depends on whom: which services are affected because one that they need, itself or by way of others, is down."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text

from statusapp.domain.enums import Status
from statusapp.extensions import db

# How a parent that the page does not show is called on it.
PRIVATE_PARENT = "a service it depends on"

# From each service that is down, down to all that need it. UNION leaves out what was found before: so a circle ends.
_BELOW = text("""
WITH RECURSIVE below(child_id, parent_id) AS (
    SELECT link.endpoint_id, link.parent_id FROM endpoint_dependency AS link
    JOIN service_endpoint AS parent ON parent.id = link.parent_id
    JOIN endpoint_state AS state ON state.endpoint_id = parent.id
    WHERE parent.is_enabled AND (state.status = :down OR state.failures > 0 AND :with_failing)
    UNION
    SELECT link.endpoint_id, below.parent_id FROM below
    JOIN endpoint_dependency AS link ON link.parent_id = below.child_id
)
SELECT below.child_id, child.name AS child, below.parent_id, parent.name AS parent, parent.is_public,
    child.is_enabled AND (state.status = :down OR state.failures > 0) AS is_failing
FROM below
JOIN service_endpoint AS parent ON parent.id = below.parent_id
JOIN service_endpoint AS child ON child.id = below.child_id
JOIN endpoint_state AS state ON state.endpoint_id = below.child_id
ORDER BY parent.position, parent.name, child.position, child.name
""")


@dataclass(frozen=True, slots=True)
class Affected:
    """A service, and one that is down which it needs, by way of however many others."""

    child_id: int
    child: str
    is_failing: bool
    parent_id: int
    parent: str
    is_parent_public: bool


def list_affected(connection: Connection, *, with_failing: bool) -> list[Affected]:
    """Every service below every one that is down: one statement, whose work grows with what is down.

    Two services that need each other, which should never be, are not affected by one another: else nobody would be
    told of either.

    Args:
        with_failing: whether a parent counts that has only begun to fail.
    """
    rows = connection.execute(_BELOW, {"down": int(Status.MAJOR_OUTAGE), "with_failing": with_failing}).all()
    pairs = {(row.child_id, row.parent_id) for row in rows}
    return [
        Affected(row.child_id, row.child, bool(row.is_failing), row.parent_id, row.parent, bool(row.is_public))
        for row in rows
        if row.child_id != row.parent_id and (row.parent_id, row.child_id) not in pairs
    ]


def load_affected(*, with_private: bool) -> dict[int, tuple[str, ...]]:
    """The names of the confirmed-down services that each service needs, if any.

    Args:
        with_private: whether private ones are called by their names, as operators may see them.
    """
    affected: dict[int, tuple[str, ...]] = {}
    for one in list_affected(db.session.connection(), with_failing=False):
        shown = one.parent if with_private or one.is_parent_public else PRIVATE_PARENT
        known = affected.get(one.child_id, ())
        if shown not in known:
            affected[one.child_id] = (*known, shown)
    return affected
