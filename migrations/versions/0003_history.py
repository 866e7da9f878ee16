"""history that stays fast: sums with histograms, strips of days, watermarks

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None

# The sums of the hours are taken along. Their minimum and maximum counted failed checks too, and nothing else is known
# of those hours; those whose checks are still there are summed up anew by the job, because it has no watermark yet.
_TAKE_ALONG = """
INSERT INTO latency_rollup (endpoint_id, step_s, start, count, failures, sum_us, histogram)
SELECT endpoint_id, 3600, hour, count, failures, sum_us, {empty} FROM latency_hour
"""
_TAKE_BACK = """
INSERT INTO latency_hour (endpoint_id, hour, count, failures, sum_us, min_us, max_us)
SELECT endpoint_id, start, count, failures, sum_us, COALESCE(min_us, 0), COALESCE(max_us, 0)
FROM latency_rollup WHERE step_s = 3600
"""


def upgrade() -> None:
    """Apply this revision."""
    op.create_table('latency_rollup',
    sa.Column('endpoint_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('step_s', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('start', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('count', sa.Integer(), nullable=False),
    sa.Column('failures', sa.Integer(), nullable=False),
    sa.Column('sum_us', sa.BigInteger(), nullable=False),
    sa.Column('min_us', sa.Integer(), nullable=True),
    sa.Column('max_us', sa.Integer(), nullable=True),
    sa.Column('p50_us', sa.Integer(), nullable=True),
    sa.Column('p95_us', sa.Integer(), nullable=True),
    sa.Column('p99_us', sa.Integer(), nullable=True),
    sa.Column('histogram', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('endpoint_id', 'step_s', 'start', name=op.f('pk_latency_rollup')),
    sqlite_with_rowid=False
    )
    op.execute(_TAKE_ALONG.format(empty="x''" if op.get_bind().dialect.name == 'sqlite' else "''::bytea"))
    op.drop_table('latency_hour')
    op.create_table('uptime_strip',
    sa.Column('endpoint_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('last_day', sa.Date(), nullable=False),
    sa.Column('days', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['endpoint_id'], ['service_endpoint.id'], name=op.f('fk_uptime_strip_endpoint_id_service_endpoint'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('endpoint_id', name=op.f('pk_uptime_strip'))
    )
    op.create_table('watermark',
    sa.Column('name', sa.String(length=50), nullable=False),
    sa.Column('until', sa.BigInteger(), nullable=False),
    sa.Column('pulled_to', sa.BigInteger(), nullable=True),
    sa.Column('basis', sa.String(length=64), nullable=True),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_watermark'))
    )


def downgrade() -> None:
    """Take this revision back."""
    op.drop_table('watermark')
    op.drop_table('uptime_strip')
    op.create_table('latency_hour',
    sa.Column('endpoint_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('hour', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('count', sa.Integer(), nullable=False),
    sa.Column('failures', sa.Integer(), nullable=False),
    sa.Column('sum_us', sa.BigInteger(), nullable=False),
    sa.Column('min_us', sa.Integer(), nullable=False),
    sa.Column('max_us', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('endpoint_id', 'hour', name=op.f('pk_latency_hour')),
    sqlite_with_rowid=False
    )
    op.execute(_TAKE_BACK)
    op.drop_table('latency_rollup')
