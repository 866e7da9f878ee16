"""more of the machines, external services

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this revision."""
    op.create_table('external_reading',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('taken_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('status', sa.SmallInteger(), nullable=False),
    sa.Column('duration_us', sa.Integer(), nullable=True),
    sa.Column('message', sa.String(length=300), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_external_reading'))
    )
    with op.batch_alter_table('external_reading', schema=None) as batch_op:
        batch_op.create_index('ix_external_reading_name_taken_at', ['name', 'taken_at'], unique=False)
        batch_op.create_index('ix_external_reading_taken_at', ['taken_at'], unique=False)

    op.create_table('metric_host',
    sa.Column('host', sa.String(length=255), nullable=False),
    sa.Column('next_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('host', name=op.f('pk_metric_host'))
    )
    op.create_table('system_metric_hour',
    sa.Column('host', sa.String(length=255), nullable=False),
    sa.Column('hour', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('count', sa.Integer(), nullable=False),
    sa.Column('cpu_mean', sa.Float(), nullable=False),
    sa.Column('cpu_max', sa.Float(), nullable=False),
    sa.Column('load_mean', sa.Float(), nullable=False),
    sa.Column('load_max', sa.Float(), nullable=False),
    sa.Column('memory_mean', sa.Float(), nullable=False),
    sa.Column('memory_max', sa.Float(), nullable=False),
    sa.Column('disk_mean', sa.Float(), nullable=False),
    sa.Column('disk_max', sa.Float(), nullable=False),
    sa.Column('database_query_us_mean', sa.Float(), nullable=True),
    sa.Column('database_query_us_max', sa.Integer(), nullable=True),
    sa.PrimaryKeyConstraint('host', 'hour', name=op.f('pk_system_metric_hour')),
    sqlite_with_rowid=False
    )
    with op.batch_alter_table('system_metric', schema=None) as batch_op:
        batch_op.add_column(sa.Column('details', sa.JSON(none_as_null=True), nullable=True))
        batch_op.create_index('ix_system_metric_host_taken_at', ['host', 'taken_at'], unique=False)


def downgrade() -> None:
    """Take this revision back."""
    with op.batch_alter_table('system_metric', schema=None) as batch_op:
        batch_op.drop_index('ix_system_metric_host_taken_at')
        batch_op.drop_column('details')

    op.drop_table('system_metric_hour')
    op.drop_table('metric_host')
    with op.batch_alter_table('external_reading', schema=None) as batch_op:
        batch_op.drop_index('ix_external_reading_taken_at')
        batch_op.drop_index('ix_external_reading_name_taken_at')

    op.drop_table('external_reading')
