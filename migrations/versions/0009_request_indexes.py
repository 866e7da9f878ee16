"""request log: indexes of unusual statuses and of slow requests that hold what they are narrowed by

Revision ID: 0009
Revises: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TABLE = "api_request_log"
SLOW = "ix_api_request_log_slow"


def upgrade() -> None:
    """Apply this revision."""
    op.drop_index("ix_api_request_log_errors", TABLE)
    op.drop_index(SLOW, TABLE)
    create("ix_api_request_log_statuses", ["status", "at", "id", "route_id"], "status <> 200")
    create(SLOW, ["is_slow", "at", "id", "route_id", "status"], "is_slow")


def downgrade() -> None:
    """Take it back."""
    op.drop_index(SLOW, TABLE)
    op.drop_index("ix_api_request_log_statuses", TABLE)
    create(SLOW, ["at"], "is_slow")
    create("ix_api_request_log_errors", ["status", "at"], "status >= 400")


def create(name: str, columns: list[str], where: str) -> None:
    """Make an index of the rows that a condition holds for."""
    op.create_index(name, TABLE, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
