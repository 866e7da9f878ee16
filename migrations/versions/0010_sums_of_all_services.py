"""sums of checks: an index that has all services together over time

Revision ID: 0010
Revises: 0009
"""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

NAME, TABLE = "ix_latency_rollup_together", "latency_rollup"


def upgrade() -> None:
    """Apply this revision."""
    op.create_index(NAME, TABLE, ["step_s", "start", "endpoint_id", "count", "failures", "sum_us"])


def downgrade() -> None:
    """Take it back."""
    op.drop_index(NAME, TABLE)
