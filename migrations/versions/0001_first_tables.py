"""first tables

Revision ID: 0001
Revises: nothing
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this revision."""
    op.create_table('check_detail',
    sa.Column('endpoint_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('location', sa.SmallInteger(), autoincrement=False, nullable=False),
    sa.Column('slot', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('error', sa.Text(), nullable=True),
    sa.Column('data', sa.JSON(), nullable=True),
    sa.PrimaryKeyConstraint('endpoint_id', 'location', 'slot', name=op.f('pk_check_detail')),
    sqlite_with_rowid=False
    )
    op.create_table('check_window',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('host', sa.String(length=255), nullable=False),
    sa.Column('process_id', sa.Integer(), nullable=False),
    sa.Column('started_at', sa.BigInteger(), nullable=False),
    sa.Column('heartbeat_at', sa.BigInteger(), nullable=False),
    sa.Column('ended_at', sa.BigInteger(), nullable=True),
    sa.Column('checks', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_check_window'))
    )
    op.create_table('daily_report',
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('data', sa.JSON(), nullable=False),
    sa.PrimaryKeyConstraint('day', name=op.f('pk_daily_report'))
    )
    op.create_table('first_account',
    sa.Column('id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('token_hash', sa.LargeBinary(length=32), nullable=True),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint('id = 1', name=op.f('ck_first_account_only_one')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_first_account'))
    )
    op.create_table('health_check',
    sa.Column('endpoint_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('location', sa.SmallInteger(), autoincrement=False, nullable=False),
    sa.Column('slot', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('kind', sa.SmallInteger(), nullable=False),
    sa.Column('outcome', sa.SmallInteger(), nullable=False),
    sa.Column('error_kind', sa.SmallInteger(), nullable=False),
    sa.Column('status_code', sa.SmallInteger(), nullable=True),
    sa.Column('late_us', sa.BigInteger(), nullable=False),
    sa.Column('dns_us', sa.Integer(), nullable=True),
    sa.Column('connect_us', sa.Integer(), nullable=True),
    sa.Column('tls_us', sa.Integer(), nullable=True),
    sa.Column('wait_us', sa.Integer(), nullable=True),
    sa.Column('transfer_us', sa.Integer(), nullable=True),
    sa.Column('total_us', sa.Integer(), nullable=False),
    sa.Column('size', sa.Integer(), nullable=True),
    sa.Column('peer', sa.LargeBinary(length=16), nullable=True),
    sa.PrimaryKeyConstraint('endpoint_id', 'location', 'slot', name=op.f('pk_health_check')),
    postgresql_partition_by='RANGE (slot)',
    sqlite_with_rowid=False
    )
    if op.get_bind().dialect.name == "postgresql":
        # Rows of a day that has no partition of its own yet land here instead of being refused.
        op.execute("CREATE TABLE health_check_pdefault PARTITION OF health_check DEFAULT")
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
    op.create_table('periodic_task',
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('next_run_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('running_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('last_started_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('last_finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('last_duration_ms', sa.Integer(), nullable=True),
    sa.Column('last_result', sa.Text(), nullable=True),
    sa.Column('last_error', sa.Text(), nullable=True),
    sa.Column('last_error_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('run_count', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_periodic_task'))
    )
    op.create_table('service_endpoint',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('description', sa.Text(), server_default='', nullable=False),
    sa.Column('url', sa.Text(), nullable=False),
    sa.Column('method', sa.String(length=20), server_default='GET', nullable=False),
    sa.Column('expected_status_codes', sa.String(length=200), server_default='200-299', nullable=False),
    sa.Column('interval_s', sa.Integer(), server_default='300', nullable=False),
    sa.Column('timeout_ms', sa.Integer(), server_default='10000', nullable=False),
    sa.Column('retries', sa.SmallInteger(), server_default='2', nullable=False),
    sa.Column('successes_to_confirm', sa.SmallInteger(), server_default='2', nullable=False),
    sa.Column('is_enabled', sa.Boolean(), nullable=False),
    sa.Column('is_public', sa.Boolean(), nullable=False),
    sa.Column('position', sa.Integer(), server_default='0', nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_service_endpoint')),
    sa.UniqueConstraint('name', name=op.f('uq_service_endpoint_name')),
    sqlite_autoincrement=True
    )
    op.create_table('status_page_settings',
    sa.Column('id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('title', sa.String(length=200), nullable=False),
    sa.Column('description', sa.Text(), nullable=False),
    sa.Column('time_zone', sa.String(length=64), nullable=False),
    sa.Column('refresh_interval_s', sa.Integer(), nullable=False),
    sa.CheckConstraint('id = 1', name=op.f('ck_status_page_settings_only_one')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_status_page_settings'))
    )
    op.create_table('system_metric',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('taken_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('host', sa.String(length=255), nullable=False),
    sa.Column('cpu_percent', sa.Float(), nullable=False),
    sa.Column('load_1m', sa.Float(), nullable=False),
    sa.Column('load_5m', sa.Float(), nullable=False),
    sa.Column('load_15m', sa.Float(), nullable=False),
    sa.Column('memory_percent', sa.Float(), nullable=False),
    sa.Column('memory_used_mb', sa.Integer(), nullable=False),
    sa.Column('memory_total_mb', sa.Integer(), nullable=False),
    sa.Column('disk_percent', sa.Float(), nullable=False),
    sa.Column('disk_free_mb', sa.BigInteger(), nullable=False),
    sa.Column('network_sent_bytes', sa.BigInteger(), nullable=False),
    sa.Column('network_received_bytes', sa.BigInteger(), nullable=False),
    sa.Column('database_connect_us', sa.Integer(), nullable=True),
    sa.Column('database_query_us', sa.Integer(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_system_metric'))
    )
    with op.batch_alter_table('system_metric', schema=None) as batch_op:
        batch_op.create_index('ix_system_metric_taken_at', ['taken_at'], unique=False)

    op.create_table('user_account',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('email', sa.String(length=254), nullable=False),
    sa.Column('password_hash', sa.Text(), nullable=False),
    sa.Column('role', sa.SmallInteger(), nullable=False),
    sa.Column('is_active', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_user_account')),
    sa.UniqueConstraint('email', name=op.f('uq_user_account_email'))
    )
    op.create_table('endpoint_state',
    sa.Column('endpoint_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('status', sa.SmallInteger(), nullable=False),
    sa.Column('status_since', sa.BigInteger(), nullable=False),
    sa.Column('history', sa.Integer(), nullable=False),
    sa.Column('failures', sa.Integer(), nullable=False),
    sa.Column('successes', sa.Integer(), nullable=False),
    sa.Column('slow', sa.Integer(), nullable=False),
    sa.Column('fast', sa.Integer(), nullable=False),
    sa.Column('run_since', sa.BigInteger(), nullable=True),
    sa.Column('last_checked_at', sa.BigInteger(), nullable=True),
    sa.Column('silent_after', sa.BigInteger(), nullable=True),
    sa.Column('last_slot', sa.BigInteger(), nullable=True),
    sa.Column('last_outcome', sa.SmallInteger(), nullable=True),
    sa.Column('last_error_kind', sa.SmallInteger(), nullable=True),
    sa.Column('last_status_code', sa.SmallInteger(), nullable=True),
    sa.Column('last_total_us', sa.BigInteger(), nullable=True),
    sa.Column('next_check_at', sa.BigInteger(), nullable=True),
    sa.Column('extra_at', sa.BigInteger(), nullable=True),
    sa.Column('extra_kind', sa.SmallInteger(), nullable=True),
    sa.Column('due_at', sa.BigInteger(), nullable=True),
    sa.Column('claimed_slot', sa.BigInteger(), nullable=True),
    sa.Column('claimed_kind', sa.SmallInteger(), nullable=True),
    sa.Column('fence', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['endpoint_id'], ['service_endpoint.id'], name=op.f('fk_endpoint_state_endpoint_id_service_endpoint'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('endpoint_id', name=op.f('pk_endpoint_state'))
    )
    with op.batch_alter_table('endpoint_state', schema=None) as batch_op:
        batch_op.create_index('ix_endpoint_state_due_at', ['due_at'], unique=False)

    op.create_table('status_change',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('endpoint_id', sa.Integer(), nullable=False),
    sa.Column('previous', sa.SmallInteger(), nullable=False),
    sa.Column('status', sa.SmallInteger(), nullable=False),
    sa.Column('started_at', sa.BigInteger(), nullable=False),
    sa.Column('recorded_at', sa.BigInteger(), nullable=False),
    sa.Column('ended_at', sa.BigInteger(), nullable=True),
    sa.Column('rule', sa.SmallInteger(), nullable=False),
    sa.Column('superseded', sa.Boolean(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['endpoint_id'], ['service_endpoint.id'], name=op.f('fk_status_change_endpoint_id_service_endpoint'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_status_change'))
    )
    with op.batch_alter_table('status_change', schema=None) as batch_op:
        batch_op.create_index('ix_status_change_ended_at', ['ended_at'], unique=False)
        batch_op.create_index('ix_status_change_endpoint_id_started_at', ['endpoint_id', 'started_at'], unique=False)
        batch_op.create_index('uq_status_change_open', ['endpoint_id'], unique=True, sqlite_where=sa.text('ended_at IS NULL AND NOT superseded'), postgresql_where=sa.text('ended_at IS NULL AND NOT superseded'))

    op.create_table('uptime_day',
    sa.Column('endpoint_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('operational_s', sa.Float(), nullable=False),
    sa.Column('degraded_s', sa.Float(), nullable=False),
    sa.Column('partial_outage_s', sa.Float(), nullable=False),
    sa.Column('major_outage_s', sa.Float(), nullable=False),
    sa.Column('maintenance_s', sa.Float(), nullable=False),
    sa.Column('unknown_s', sa.Float(), nullable=False),
    sa.Column('computed_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['endpoint_id'], ['service_endpoint.id'], name=op.f('fk_uptime_day_endpoint_id_service_endpoint'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('endpoint_id', 'day', name=op.f('pk_uptime_day')),
    sqlite_with_rowid=False
    )
    op.create_table('user_session',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('token_hash', sa.LargeBinary(length=32), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('user_agent', sa.String(length=200), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['user_account.id'], name=op.f('fk_user_session_user_id_user_account'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_user_session')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_user_session_token_hash'))
    )
    with op.batch_alter_table('user_session', schema=None) as batch_op:
        batch_op.create_index('ix_user_session_user_id', ['user_id'], unique=False)



def downgrade() -> None:
    """Take this revision back."""
    with op.batch_alter_table('user_session', schema=None) as batch_op:
        batch_op.drop_index('ix_user_session_user_id')

    op.drop_table('user_session')
    op.drop_table('uptime_day')
    with op.batch_alter_table('status_change', schema=None) as batch_op:
        batch_op.drop_index('uq_status_change_open', sqlite_where=sa.text('ended_at IS NULL AND NOT superseded'), postgresql_where=sa.text('ended_at IS NULL AND NOT superseded'))
        batch_op.drop_index('ix_status_change_endpoint_id_started_at')
        batch_op.drop_index('ix_status_change_ended_at')

    op.drop_table('status_change')
    with op.batch_alter_table('endpoint_state', schema=None) as batch_op:
        batch_op.drop_index('ix_endpoint_state_due_at')

    op.drop_table('endpoint_state')
    op.drop_table('user_account')
    with op.batch_alter_table('system_metric', schema=None) as batch_op:
        batch_op.drop_index('ix_system_metric_taken_at')

    op.drop_table('system_metric')
    op.drop_table('status_page_settings')
    op.drop_table('service_endpoint')
    op.drop_table('periodic_task')
    op.drop_table('latency_hour')
    op.drop_table('health_check')
    op.drop_table('first_account')
    op.drop_table('daily_report')
    op.drop_table('check_window')
    op.drop_table('check_detail')
