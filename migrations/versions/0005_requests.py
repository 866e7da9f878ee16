"""requests of host applications

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this revision."""
    op.create_table('api_request_log',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.Column('route_id', sa.Integer(), nullable=False),
    sa.Column('host_id', sa.Integer(), nullable=False),
    sa.Column('status', sa.SmallInteger(), nullable=False),
    sa.Column('duration_us', sa.BigInteger(), nullable=False),
    sa.Column('request_size', sa.BigInteger(), nullable=True),
    sa.Column('response_size', sa.BigInteger(), nullable=True),
    sa.Column('user_id', sa.String(length=64), nullable=True),
    sa.Column('address', sa.String(length=45), nullable=True),
    sa.Column('user_agent', sa.String(length=100), nullable=True),
    sa.Column('request_id', sa.String(length=128), nullable=True),
    sa.Column('error_id', sa.Integer(), nullable=True),
    sa.Column('error_message', sa.String(length=300), nullable=True),
    sa.Column('is_slow', sa.Boolean(), nullable=False),
    sa.Column('is_probe', sa.Boolean(), nullable=False),
    sa.Column('went_away', sa.Boolean(), nullable=False),
    sa.Column('weight', sa.Float(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_api_request_log'))
    )
    with op.batch_alter_table('api_request_log', schema=None) as batch_op:
        batch_op.create_index('ix_api_request_log_at', ['at'], unique=False)
        batch_op.create_index('ix_api_request_log_error_groups', ['error_id', 'at'], unique=False, sqlite_where=sa.text('error_id IS NOT NULL'), postgresql_where=sa.text('error_id IS NOT NULL'))
        batch_op.create_index('ix_api_request_log_errors', ['status', 'at'], unique=False, sqlite_where=sa.text('status >= 400'), postgresql_where=sa.text('status >= 400'))
        batch_op.create_index('ix_api_request_log_route_id_at', ['route_id', 'at'], unique=False)
        batch_op.create_index('ix_api_request_log_slow', ['at'], unique=False, sqlite_where=sa.text('is_slow'), postgresql_where=sa.text('is_slow'))
        batch_op.create_index('ix_api_request_log_users', ['user_id', 'at'], unique=False, sqlite_where=sa.text('user_id IS NOT NULL'), postgresql_where=sa.text('user_id IS NOT NULL'))

    op.create_table('ingest_token',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('token_hash', sa.LargeBinary(length=32), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ingest_token')),
    sa.UniqueConstraint('name', name=op.f('uq_ingest_token_name')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_ingest_token_token_hash'))
    )
    op.create_table('request_batch',
    sa.Column('id', sa.String(length=64), nullable=False),
    sa.Column('stored_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_request_batch')),
    sqlite_with_rowid=False
    )
    with op.batch_alter_table('request_batch', schema=None) as batch_op:
        batch_op.create_index('ix_request_batch_stored_at', ['stored_at'], unique=False)

    op.create_table('request_client',
    sa.Column('hour', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('kind', sa.SmallInteger(), autoincrement=False, nullable=False),
    sa.Column('value', sa.String(length=64), nullable=False),
    sa.Column('count', sa.BigInteger(), nullable=False),
    sa.Column('failures', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('hour', 'kind', 'value', name=op.f('pk_request_client')),
    sqlite_with_rowid=False
    )
    op.create_table('request_error',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('service', sa.String(length=100), nullable=False),
    sa.Column('fingerprint', sa.String(length=64), nullable=False),
    sa.Column('error_class', sa.String(length=100), nullable=False),
    sa.Column('message', sa.String(length=300), nullable=False),
    sa.Column('route_id', sa.Integer(), nullable=False),
    sa.Column('first_at', sa.BigInteger(), nullable=False),
    sa.Column('last_at', sa.BigInteger(), nullable=False),
    sa.Column('count', sa.BigInteger(), nullable=False),
    sa.Column('clients', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_request_error')),
    sa.UniqueConstraint('service', 'fingerprint', name=op.f('uq_request_error_service_fingerprint'))
    )
    with op.batch_alter_table('request_error', schema=None) as batch_op:
        batch_op.create_index('ix_request_error_first_at', ['first_at'], unique=False)
        batch_op.create_index('ix_request_error_last_at', ['last_at'], unique=False)

    op.create_table('request_error_client',
    sa.Column('error_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('client', sa.LargeBinary(length=8), nullable=False),
    sa.PrimaryKeyConstraint('error_id', 'client', name=op.f('pk_request_error_client')),
    sqlite_with_rowid=False
    )
    op.create_table('request_loss',
    sa.Column('id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('dropped', sa.BigInteger(), nullable=False),
    sa.Column('unreadable', sa.BigInteger(), nullable=False),
    sa.Column('last_at', sa.BigInteger(), nullable=False),
    sa.CheckConstraint('id = 1', name=op.f('ck_request_loss_only_one')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_request_loss'))
    )
    op.create_table('request_rollup',
    sa.Column('route_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('step_s', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('start', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('count', sa.BigInteger(), nullable=False),
    sa.Column('failures', sa.BigInteger(), nullable=False),
    sa.Column('client_errors', sa.BigInteger(), nullable=False),
    sa.Column('slow', sa.BigInteger(), nullable=False),
    sa.Column('went_away', sa.BigInteger(), nullable=False),
    sa.Column('sum_us', sa.BigInteger(), nullable=False),
    sa.Column('min_us', sa.BigInteger(), nullable=False),
    sa.Column('max_us', sa.BigInteger(), nullable=False),
    sa.Column('histogram', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('route_id', 'step_s', 'start', name=op.f('pk_request_rollup')),
    sqlite_with_rowid=False
    )
    op.create_table('tracked_host',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=255), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_tracked_host')),
    sa.UniqueConstraint('name', name=op.f('uq_tracked_host_name'))
    )
    op.create_table('tracked_route',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('service', sa.String(length=100), nullable=False),
    sa.Column('method', sa.String(length=20), nullable=False),
    sa.Column('route', sa.String(length=200), nullable=False),
    sa.Column('slow_ms', sa.Integer(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_tracked_route')),
    sa.UniqueConstraint('service', 'method', 'route', name=op.f('uq_tracked_route_service_method_route'))
    )


def downgrade() -> None:
    """Take this revision back."""
    op.drop_table('tracked_route')
    op.drop_table('tracked_host')
    op.drop_table('request_rollup')
    op.drop_table('request_loss')
    op.drop_table('request_error_client')
    with op.batch_alter_table('request_error', schema=None) as batch_op:
        batch_op.drop_index('ix_request_error_last_at')
        batch_op.drop_index('ix_request_error_first_at')

    op.drop_table('request_error')
    op.drop_table('request_client')
    with op.batch_alter_table('request_batch', schema=None) as batch_op:
        batch_op.drop_index('ix_request_batch_stored_at')

    op.drop_table('request_batch')
    op.drop_table('ingest_token')
    with op.batch_alter_table('api_request_log', schema=None) as batch_op:
        batch_op.drop_index('ix_api_request_log_users', sqlite_where=sa.text('user_id IS NOT NULL'), postgresql_where=sa.text('user_id IS NOT NULL'))
        batch_op.drop_index('ix_api_request_log_slow', sqlite_where=sa.text('is_slow'), postgresql_where=sa.text('is_slow'))
        batch_op.drop_index('ix_api_request_log_route_id_at')
        batch_op.drop_index('ix_api_request_log_errors', sqlite_where=sa.text('status >= 400'), postgresql_where=sa.text('status >= 400'))
        batch_op.drop_index('ix_api_request_log_error_groups', sqlite_where=sa.text('error_id IS NOT NULL'), postgresql_where=sa.text('error_id IS NOT NULL'))
        batch_op.drop_index('ix_api_request_log_at')

    op.drop_table('api_request_log')
