"""alerts, incidents, maintenance

Revision ID: 0006
Revises: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this revision."""
    op.create_table('request_client_day',
    sa.Column('day', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('kind', sa.SmallInteger(), nullable=False),
    sa.Column('value', sa.String(length=64), nullable=False),
    sa.Column('count', sa.BigInteger(), nullable=False),
    sa.Column('failures', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('day', 'kind', 'value', name=op.f('pk_request_client_day')),
    sqlite_with_rowid=False
    )
    # Columns are added without a batch: it would copy the table, and a copy forgets which ids were given before.
    op.create_table('incident',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('title', sa.String(length=200), nullable=False),
    sa.Column('status', sa.SmallInteger(), nullable=False),
    sa.Column('impact', sa.SmallInteger(), nullable=False),
    sa.Column('impact_override', sa.SmallInteger(), nullable=True),
    sa.Column('is_public', sa.Boolean(), nullable=False),
    sa.Column('is_automatic', sa.Boolean(), nullable=False),
    sa.Column('touched_at', sa.BigInteger(), nullable=True),
    sa.Column('started_at', sa.BigInteger(), nullable=False),
    sa.Column('resolved_at', sa.BigInteger(), nullable=True),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('updated_at', sa.BigInteger(), nullable=False),
    sa.Column('evidence', sa.JSON(none_as_null=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_incident'))
    )
    with op.batch_alter_table('incident', schema=None) as batch_op:
        batch_op.create_index('ix_incident_open', ['id'], unique=False, sqlite_where=sa.text('resolved_at IS NULL'), postgresql_where=sa.text('resolved_at IS NULL'))
        batch_op.create_index('ix_incident_started_at', ['started_at'], unique=False)

    op.create_table('maintenance_window',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('title', sa.String(length=200), nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.Column('zone', sa.String(length=64), nullable=False),
    sa.Column('starts', sa.String(length=16), nullable=False),
    sa.Column('duration_s', sa.Integer(), nullable=False),
    sa.Column('rrule', sa.Text(), nullable=True),
    sa.Column('announce_s', sa.Integer(), nullable=False),
    sa.Column('covers_all', sa.Boolean(), nullable=False),
    sa.Column('is_public', sa.Boolean(), nullable=False),
    sa.Column('valid_from', sa.BigInteger(), nullable=False),
    sa.Column('cancelled_at', sa.BigInteger(), nullable=True),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('updated_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_maintenance_window'))
    )
    op.create_table('message_text',
    sa.Column('transition', sa.SmallInteger(), autoincrement=False, nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('transition', name=op.f('pk_message_text'))
    )
    op.create_table('notification_channel',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('kind', sa.String(length=30), nullable=False),
    sa.Column('target', sa.Text(), nullable=False),
    sa.Column('secrets', sa.Text(), nullable=True),
    sa.Column('severities', sa.SmallInteger(), nullable=False),
    sa.Column('groups', sa.JSON(), nullable=False),
    sa.Column('tags', sa.JSON(), nullable=False),
    sa.Column('quiet_from', sa.SmallInteger(), nullable=True),
    sa.Column('quiet_to', sa.SmallInteger(), nullable=True),
    sa.Column('sends_alerts', sa.Boolean(), nullable=False),
    sa.Column('sends_reports', sa.Boolean(), nullable=False),
    sa.Column('is_enabled', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_notification_channel')),
    sa.UniqueConstraint('name', name=op.f('uq_notification_channel_name'))
    )
    op.create_table('channel_state',
    sa.Column('channel_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('due_at', sa.BigInteger(), nullable=True),
    sa.Column('leased_until', sa.BigInteger(), nullable=True),
    sa.Column('fence', sa.BigInteger(), nullable=False),
    sa.Column('last_sent_at', sa.BigInteger(), nullable=True),
    sa.Column('failures', sa.Integer(), nullable=False),
    sa.Column('failing_since', sa.BigInteger(), nullable=True),
    sa.Column('broken_since', sa.BigInteger(), nullable=True),
    sa.Column('last_answer', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['channel_id'], ['notification_channel.id'], name=op.f('fk_channel_state_channel_id_notification_channel'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('channel_id', name=op.f('pk_channel_state'))
    )
    with op.batch_alter_table('channel_state', schema=None) as batch_op:
        batch_op.create_index('ix_channel_state_due_at', ['due_at'], unique=False)

    op.create_table('incident_update',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('incident_id', sa.Integer(), nullable=False),
    sa.Column('status', sa.SmallInteger(), nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.Column('author', sa.String(length=254), nullable=True),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['incident_id'], ['incident.id'], name=op.f('fk_incident_update_incident_id_incident'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_incident_update'))
    )
    with op.batch_alter_table('incident_update', schema=None) as batch_op:
        batch_op.create_index('ix_incident_update_incident_id', ['incident_id'], unique=False)

    op.create_table('maintenance_occurrence',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('window_id', sa.Integer(), nullable=False),
    sa.Column('starts_at', sa.BigInteger(), nullable=False),
    sa.Column('ends_at', sa.BigInteger(), nullable=False),
    sa.Column('announced_at', sa.BigInteger(), nullable=True),
    sa.Column('started_at', sa.BigInteger(), nullable=True),
    sa.Column('ended_at', sa.BigInteger(), nullable=True),
    sa.Column('cancelled_at', sa.BigInteger(), nullable=True),
    sa.ForeignKeyConstraint(['window_id'], ['maintenance_window.id'], name=op.f('fk_maintenance_occurrence_window_id_maintenance_window'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_maintenance_occurrence'))
    )
    with op.batch_alter_table('maintenance_occurrence', schema=None) as batch_op:
        batch_op.create_index('ix_maintenance_occurrence_starts_at', ['starts_at'], unique=False)
        batch_op.create_index('uq_maintenance_occurrence', ['window_id', 'starts_at'], unique=True)

    op.create_table('alert',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('kind', sa.SmallInteger(), nullable=False),
    sa.Column('subject', sa.String(length=300), nullable=False),
    sa.Column('name', sa.String(length=300), nullable=False),
    sa.Column('endpoint_id', sa.Integer(), nullable=True),
    sa.Column('severity', sa.SmallInteger(), nullable=False),
    sa.Column('since', sa.BigInteger(), nullable=False),
    sa.Column('fired_at', sa.BigInteger(), nullable=False),
    sa.Column('found', sa.Text(), nullable=False),
    sa.Column('resolved_at', sa.BigInteger(), nullable=True),
    sa.Column('acknowledged_at', sa.BigInteger(), nullable=True),
    sa.Column('acknowledged_by', sa.String(length=254), nullable=True),
    sa.Column('note', sa.Text(), nullable=True),
    sa.Column('told_at', sa.BigInteger(), nullable=True),
    sa.Column('reminders', sa.Integer(), nullable=False),
    sa.Column('remind_at', sa.BigInteger(), nullable=True),
    sa.Column('is_flapping', sa.Boolean(), nullable=False),
    sa.Column('incident_id', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['endpoint_id'], ['service_endpoint.id'], name=op.f('fk_alert_endpoint_id_service_endpoint'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['incident_id'], ['incident.id'], name=op.f('fk_alert_incident_id_incident'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_alert'))
    )
    with op.batch_alter_table('alert', schema=None) as batch_op:
        batch_op.create_index('ix_alert_endpoint_id_fired_at', ['endpoint_id', 'fired_at'], unique=False)
        batch_op.create_index('ix_alert_fired_at', ['fired_at'], unique=False)
        batch_op.create_index('ix_alert_kind_subject', ['kind', 'subject', 'id'], unique=False)
        batch_op.create_index('uq_alert_open', ['kind', 'subject'], unique=True, sqlite_where=sa.text('resolved_at IS NULL'), postgresql_where=sa.text('resolved_at IS NULL'))

    op.create_table('alert_rule',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.SmallInteger(), nullable=False),
    sa.Column('group_id', sa.Integer(), nullable=True),
    sa.Column('endpoint_id', sa.Integer(), nullable=True),
    sa.Column('severity', sa.SmallInteger(), nullable=False),
    sa.Column('threshold', sa.Float(), nullable=True),
    sa.Column('for_s', sa.Integer(), nullable=False),
    sa.Column('window_s', sa.Integer(), nullable=False),
    sa.Column('least', sa.Integer(), nullable=False),
    sa.Column('repeat_s', sa.Integer(), nullable=False),
    sa.Column('is_enabled', sa.Boolean(), nullable=False),
    sa.Column('is_muted', sa.Boolean(), nullable=False),
    sa.Column('muted_until', sa.BigInteger(), nullable=True),
    sa.ForeignKeyConstraint(['endpoint_id'], ['service_endpoint.id'], name=op.f('fk_alert_rule_endpoint_id_service_endpoint'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['group_id'], ['service_group.id'], name=op.f('fk_alert_rule_group_id_service_group'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_alert_rule'))
    )
    with op.batch_alter_table('alert_rule', schema=None) as batch_op:
        batch_op.create_index('ix_alert_rule_endpoint_id', ['endpoint_id'], unique=False)
        batch_op.create_index('ix_alert_rule_group_id', ['group_id'], unique=False)
        batch_op.create_index('uq_alert_rule_endpoint', ['kind', 'endpoint_id'], unique=True, sqlite_where=sa.text('endpoint_id IS NOT NULL'), postgresql_where=sa.text('endpoint_id IS NOT NULL'))
        batch_op.create_index('uq_alert_rule_global', ['kind'], unique=True, sqlite_where=sa.text('endpoint_id IS NULL AND group_id IS NULL'), postgresql_where=sa.text('endpoint_id IS NULL AND group_id IS NULL'))
        batch_op.create_index('uq_alert_rule_group', ['kind', 'group_id'], unique=True, sqlite_where=sa.text('group_id IS NOT NULL'), postgresql_where=sa.text('group_id IS NOT NULL'))

    op.create_table('incident_endpoint',
    sa.Column('incident_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('endpoint_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('status', sa.SmallInteger(), nullable=False),
    sa.ForeignKeyConstraint(['endpoint_id'], ['service_endpoint.id'], name=op.f('fk_incident_endpoint_endpoint_id_service_endpoint'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['incident_id'], ['incident.id'], name=op.f('fk_incident_endpoint_incident_id_incident'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('incident_id', 'endpoint_id', name=op.f('pk_incident_endpoint')),
    sqlite_with_rowid=False
    )
    with op.batch_alter_table('incident_endpoint', schema=None) as batch_op:
        batch_op.create_index('ix_incident_endpoint_endpoint_id', ['endpoint_id'], unique=False)

    op.create_table('maintenance_target',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('window_id', sa.Integer(), nullable=False),
    sa.Column('endpoint_id', sa.Integer(), nullable=True),
    sa.Column('group_id', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['endpoint_id'], ['service_endpoint.id'], name=op.f('fk_maintenance_target_endpoint_id_service_endpoint'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['group_id'], ['service_group.id'], name=op.f('fk_maintenance_target_group_id_service_group'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['window_id'], ['maintenance_window.id'], name=op.f('fk_maintenance_target_window_id_maintenance_window'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_maintenance_target'))
    )
    with op.batch_alter_table('maintenance_target', schema=None) as batch_op:
        batch_op.create_index('ix_maintenance_target_window_id', ['window_id'], unique=False)

    op.create_table('maintenance_update',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('occurrence_id', sa.Integer(), nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.Column('author', sa.String(length=254), nullable=True),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['occurrence_id'], ['maintenance_occurrence.id'], name=op.f('fk_maintenance_update_occurrence_id_maintenance_occurrence'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_maintenance_update'))
    )
    with op.batch_alter_table('maintenance_update', schema=None) as batch_op:
        batch_op.create_index('ix_maintenance_update_occurrence_id', ['occurrence_id'], unique=False)

    op.create_table('alert_delivery',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('channel_id', sa.Integer(), nullable=False),
    sa.Column('alert_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('transition', sa.SmallInteger(), nullable=False),
    sa.Column('severity', sa.SmallInteger(), nullable=False),
    sa.Column('key', sa.String(length=100), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('state', sa.SmallInteger(), nullable=False),
    sa.Column('attempts', sa.SmallInteger(), nullable=False),
    sa.Column('attempted_at', sa.BigInteger(), nullable=True),
    sa.Column('sent_at', sa.BigInteger(), nullable=True),
    sa.Column('answer', sa.Text(), nullable=True),
    sa.Column('batch', sa.String(length=40), nullable=True),
    sa.Column('data', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['alert_id'], ['alert.id'], name=op.f('fk_alert_delivery_alert_id_alert'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['channel_id'], ['notification_channel.id'], name=op.f('fk_alert_delivery_channel_id_notification_channel'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_alert_delivery')),
    sa.UniqueConstraint('key', name=op.f('uq_alert_delivery_key'))
    )
    with op.batch_alter_table('alert_delivery', schema=None) as batch_op:
        batch_op.create_index('ix_alert_delivery_alert_id', ['alert_id'], unique=False)
        batch_op.create_index('ix_alert_delivery_created_at', ['created_at'], unique=False)
        batch_op.create_index('ix_alert_delivery_waiting', ['channel_id', 'id'], unique=False, sqlite_where=sa.text('state IN (0, 2)'), postgresql_where=sa.text('state IN (0, 2)'))

    op.add_column('endpoint_state', sa.Column('certificate_expires_at', sa.BigInteger(), nullable=True))
    op.add_column('endpoint_state', sa.Column('maintenance_until', sa.BigInteger(), nullable=True))

    op.add_column('service_endpoint', sa.Column('is_muted', sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column('service_endpoint', sa.Column('muted_until', sa.BigInteger(), nullable=True))

    op.add_column('status_page_settings', sa.Column('critical_incidents', sa.SmallInteger(), server_default='2', nullable=False))
    op.add_column('status_page_settings', sa.Column('warning_incidents', sa.SmallInteger(), server_default='0', nullable=False))
    op.add_column('status_page_settings', sa.Column('logo', sa.Text(), server_default='', nullable=False))
    op.add_column('status_page_settings', sa.Column('theme', sa.String(length=10), server_default='auto', nullable=False))
    op.add_column('status_page_settings', sa.Column('primary_color', sa.String(length=7), server_default='', nullable=False))
    op.add_column('status_page_settings', sa.Column('success_color', sa.String(length=7), server_default='', nullable=False))
    op.add_column('status_page_settings', sa.Column('warning_color', sa.String(length=7), server_default='', nullable=False))
    op.add_column('status_page_settings', sa.Column('danger_color', sa.String(length=7), server_default='', nullable=False))
    op.add_column('status_page_settings', sa.Column('shows_response_times', sa.Boolean(), server_default=sa.true(), nullable=False))
    op.add_column('status_page_settings', sa.Column('shows_uptime', sa.Boolean(), server_default=sa.true(), nullable=False))
    op.add_column('status_page_settings', sa.Column('shows_incidents', sa.Boolean(), server_default=sa.true(), nullable=False))
    op.add_column('status_page_settings', sa.Column('shows_metrics', sa.Boolean(), server_default=sa.true(), nullable=False))
    op.add_column('status_page_settings', sa.Column('history_days', sa.Integer(), server_default='90', nullable=False))
    op.add_column('status_page_settings', sa.Column('footer', sa.Text(), server_default='', nullable=False))
    op.add_column('status_page_settings', sa.Column('support_url', sa.Text(), server_default='', nullable=False))
    op.add_column('status_page_settings', sa.Column('announcement', sa.Text(), server_default='', nullable=False))
    op.add_column('status_page_settings', sa.Column('is_indexed', sa.Boolean(), server_default=sa.true(), nullable=False))



def downgrade() -> None:
    """Take this revision back."""
    op.drop_table('request_client_day')
    op.drop_column('status_page_settings', 'is_indexed')
    op.drop_column('status_page_settings', 'announcement')
    op.drop_column('status_page_settings', 'support_url')
    op.drop_column('status_page_settings', 'footer')
    op.drop_column('status_page_settings', 'history_days')
    op.drop_column('status_page_settings', 'shows_metrics')
    op.drop_column('status_page_settings', 'shows_incidents')
    op.drop_column('status_page_settings', 'shows_uptime')
    op.drop_column('status_page_settings', 'shows_response_times')
    op.drop_column('status_page_settings', 'danger_color')
    op.drop_column('status_page_settings', 'warning_color')
    op.drop_column('status_page_settings', 'success_color')
    op.drop_column('status_page_settings', 'primary_color')
    op.drop_column('status_page_settings', 'theme')
    op.drop_column('status_page_settings', 'logo')
    op.drop_column('status_page_settings', 'warning_incidents')
    op.drop_column('status_page_settings', 'critical_incidents')

    op.drop_column('service_endpoint', 'muted_until')
    op.drop_column('service_endpoint', 'is_muted')

    op.drop_column('endpoint_state', 'maintenance_until')
    op.drop_column('endpoint_state', 'certificate_expires_at')

    with op.batch_alter_table('alert_delivery', schema=None) as batch_op:
        batch_op.drop_index('ix_alert_delivery_waiting', sqlite_where=sa.text('state IN (0, 2)'), postgresql_where=sa.text('state IN (0, 2)'))
        batch_op.drop_index('ix_alert_delivery_created_at')
        batch_op.drop_index('ix_alert_delivery_alert_id')

    op.drop_table('alert_delivery')
    with op.batch_alter_table('maintenance_update', schema=None) as batch_op:
        batch_op.drop_index('ix_maintenance_update_occurrence_id')

    op.drop_table('maintenance_update')
    with op.batch_alter_table('maintenance_target', schema=None) as batch_op:
        batch_op.drop_index('ix_maintenance_target_window_id')

    op.drop_table('maintenance_target')
    with op.batch_alter_table('incident_endpoint', schema=None) as batch_op:
        batch_op.drop_index('ix_incident_endpoint_endpoint_id')

    op.drop_table('incident_endpoint')
    with op.batch_alter_table('alert_rule', schema=None) as batch_op:
        batch_op.drop_index('uq_alert_rule_group', sqlite_where=sa.text('group_id IS NOT NULL'), postgresql_where=sa.text('group_id IS NOT NULL'))
        batch_op.drop_index('uq_alert_rule_global', sqlite_where=sa.text('endpoint_id IS NULL AND group_id IS NULL'), postgresql_where=sa.text('endpoint_id IS NULL AND group_id IS NULL'))
        batch_op.drop_index('uq_alert_rule_endpoint', sqlite_where=sa.text('endpoint_id IS NOT NULL'), postgresql_where=sa.text('endpoint_id IS NOT NULL'))
        batch_op.drop_index('ix_alert_rule_group_id')
        batch_op.drop_index('ix_alert_rule_endpoint_id')

    op.drop_table('alert_rule')
    with op.batch_alter_table('alert', schema=None) as batch_op:
        batch_op.drop_index('uq_alert_open', sqlite_where=sa.text('resolved_at IS NULL'), postgresql_where=sa.text('resolved_at IS NULL'))
        batch_op.drop_index('ix_alert_kind_subject')
        batch_op.drop_index('ix_alert_fired_at')
        batch_op.drop_index('ix_alert_endpoint_id_fired_at')

    op.drop_table('alert')
    with op.batch_alter_table('maintenance_occurrence', schema=None) as batch_op:
        batch_op.drop_index('uq_maintenance_occurrence')
        batch_op.drop_index('ix_maintenance_occurrence_starts_at')

    op.drop_table('maintenance_occurrence')
    with op.batch_alter_table('incident_update', schema=None) as batch_op:
        batch_op.drop_index('ix_incident_update_incident_id')

    op.drop_table('incident_update')
    with op.batch_alter_table('channel_state', schema=None) as batch_op:
        batch_op.drop_index('ix_channel_state_due_at')

    op.drop_table('channel_state')
    op.drop_table('notification_channel')
    op.drop_table('message_text')
    op.drop_table('maintenance_window')
    with op.batch_alter_table('incident', schema=None) as batch_op:
        batch_op.drop_index('ix_incident_started_at')
        batch_op.drop_index('ix_incident_open', sqlite_where=sa.text('resolved_at IS NULL'), postgresql_where=sa.text('resolved_at IS NULL'))

    op.drop_table('incident')
