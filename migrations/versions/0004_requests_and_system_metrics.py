"""requests of host applications, more of the machines, external services

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
    op.create_table('metric_host',
    sa.Column('host', sa.String(length=255), nullable=False),
    sa.Column('next_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('host', name=op.f('pk_metric_host'))
    )
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
    op.create_table('request_stream',
    sa.Column('id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('last_id', sa.String(length=50), nullable=False),
    sa.Column('stored', sa.BigInteger(), nullable=False),
    sa.Column('dropped', sa.BigInteger(), nullable=False),
    sa.Column('unreadable', sa.BigInteger(), nullable=False),
    sa.Column('dropped_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint('id = 1', name=op.f('ck_request_stream_only_one')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_request_stream'))
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
    with op.batch_alter_table('system_metric', schema=None) as batch_op:
        batch_op.add_column(sa.Column('details', sa.JSON(none_as_null=True), nullable=True))
        batch_op.create_index('ix_system_metric_host_taken_at', ['host', 'taken_at'], unique=False)



def downgrade() -> None:
    """Take this revision back."""
    with op.batch_alter_table('system_metric', schema=None) as batch_op:
        batch_op.drop_index('ix_system_metric_host_taken_at')
        batch_op.drop_column('details')

    op.drop_table('tracked_route')
    op.drop_table('tracked_host')
    op.drop_table('system_metric_hour')
    op.drop_table('request_stream')
    op.drop_table('request_rollup')
    op.drop_table('request_error_client')
    with op.batch_alter_table('request_error', schema=None) as batch_op:
        batch_op.drop_index('ix_request_error_last_at')
        batch_op.drop_index('ix_request_error_first_at')

    op.drop_table('request_error')
    op.drop_table('request_client')
    op.drop_table('metric_host')
    op.drop_table('ingest_token')
    with op.batch_alter_table('external_reading', schema=None) as batch_op:
        batch_op.drop_index('ix_external_reading_taken_at')
        batch_op.drop_index('ix_external_reading_name_taken_at')

    op.drop_table('external_reading')
    with op.batch_alter_table('api_request_log', schema=None) as batch_op:
        batch_op.drop_index('ix_api_request_log_users', sqlite_where=sa.text('user_id IS NOT NULL'), postgresql_where=sa.text('user_id IS NOT NULL'))
        batch_op.drop_index('ix_api_request_log_slow', sqlite_where=sa.text('is_slow'), postgresql_where=sa.text('is_slow'))
        batch_op.drop_index('ix_api_request_log_route_id_at')
        batch_op.drop_index('ix_api_request_log_errors', sqlite_where=sa.text('status >= 400'), postgresql_where=sa.text('status >= 400'))
        batch_op.drop_index('ix_api_request_log_error_groups', sqlite_where=sa.text('error_id IS NOT NULL'), postgresql_where=sa.text('error_id IS NOT NULL'))
        batch_op.drop_index('ix_api_request_log_at')

    op.drop_table('api_request_log')
