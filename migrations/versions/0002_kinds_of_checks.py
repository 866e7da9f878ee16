"""kinds of checks: options, conditions, groups, tags, dependencies, heartbeats, the encryption key

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this revision."""
    op.create_table('service_group',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('is_collapsed', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_service_group')),
    sa.UniqueConstraint('name', name=op.f('uq_service_group_name'))
    )
    with _changed_endpoints() as batch:
        batch.add_column(sa.Column('slow_ms', sa.Integer(), nullable=True))
        batch.add_column(sa.Column('options', sa.Text(), server_default='{}', nullable=False))
        batch.add_column(sa.Column('secrets', sa.Text(), nullable=True))
        batch.add_column(sa.Column('conditions', sa.Text(), server_default='[]', nullable=False))
        batch.add_column(sa.Column('group_id', sa.Integer(), nullable=True))
        batch.add_column(sa.Column('shows_url', sa.Boolean(), server_default=sa.false(), nullable=False))
        batch.create_foreign_key(
            op.f('fk_service_endpoint_group_id_service_group'), 'service_group', ['group_id'], ['id'],
            ondelete='SET NULL',
        )
    op.create_table('endpoint_tag',
    sa.Column('endpoint_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('tag', sa.String(length=50), nullable=False),
    sa.ForeignKeyConstraint(['endpoint_id'], ['service_endpoint.id'], name=op.f('fk_endpoint_tag_endpoint_id_service_endpoint'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('endpoint_id', 'tag', name=op.f('pk_endpoint_tag')),
    sqlite_with_rowid=False
    )
    op.create_table('endpoint_dependency',
    sa.Column('endpoint_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('parent_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.ForeignKeyConstraint(['endpoint_id'], ['service_endpoint.id'], name=op.f('fk_endpoint_dependency_endpoint_id_service_endpoint'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['parent_id'], ['service_endpoint.id'], name=op.f('fk_endpoint_dependency_parent_id_service_endpoint'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('endpoint_id', 'parent_id', name=op.f('pk_endpoint_dependency')),
    sqlite_with_rowid=False
    )
    op.create_index('ix_endpoint_dependency_parent_id', 'endpoint_dependency', ['parent_id'])
    op.create_table('heartbeat',
    sa.Column('endpoint_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('token_hash', sa.LargeBinary(length=32), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('last_ping_at', sa.BigInteger(), nullable=True),
    sa.Column('started_at', sa.BigInteger(), nullable=True),
    sa.Column('failure', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['endpoint_id'], ['service_endpoint.id'], name=op.f('fk_heartbeat_endpoint_id_service_endpoint'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('endpoint_id', name=op.f('pk_heartbeat')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_heartbeat_token_hash'))
    )
    op.create_table('heartbeat_ping',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('endpoint_id', sa.Integer(), nullable=False),
    sa.Column('received_at', sa.BigInteger(), nullable=False),
    sa.Column('signal', sa.SmallInteger(), nullable=False),
    sa.Column('exit_code', sa.SmallInteger(), nullable=True),
    sa.ForeignKeyConstraint(['endpoint_id'], ['service_endpoint.id'], name=op.f('fk_heartbeat_ping_endpoint_id_service_endpoint'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_heartbeat_ping'))
    )
    op.create_index('ix_heartbeat_ping_endpoint_id_received_at', 'heartbeat_ping', ['endpoint_id', 'received_at'])
    op.create_index('ix_heartbeat_ping_received_at', 'heartbeat_ping', ['received_at'])
    op.create_table('encryption_key',
    sa.Column('id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('fingerprint', sa.String(length=64), nullable=False),
    sa.CheckConstraint('id = 1', name=op.f('ck_encryption_key_only_one')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_encryption_key'))
    )
    op.add_column('check_window', sa.Column('cut_off_since', sa.BigInteger(), nullable=True))


def downgrade() -> None:
    """Take this revision back."""
    op.drop_column('check_window', 'cut_off_since')
    for table in ('encryption_key', 'heartbeat_ping', 'heartbeat', 'endpoint_dependency', 'endpoint_tag'):
        op.drop_table(table)
    with _changed_endpoints() as batch:
        batch.drop_constraint(op.f('fk_service_endpoint_group_id_service_group'), type_='foreignkey')
        for column in ('shows_url', 'group_id', 'conditions', 'secrets', 'options', 'slow_ms'):
            batch.drop_column(column)
    op.drop_table('service_group')


@contextmanager
def _changed_endpoints() -> Iterator[Any]:
    """A change of service_endpoint. On SQLite it copies the table, and the copy must go on with the numbers where the
    old one stood: an id is never given twice."""
    sqlite = op.get_bind().dialect.name == 'sqlite'
    query = "SELECT seq FROM sqlite_sequence WHERE name = 'service_endpoint'"
    highest = op.get_bind().execute(sa.text(query)).scalar() if sqlite else None
    with op.batch_alter_table('service_endpoint', table_kwargs={'sqlite_autoincrement': True}) as batch:
        yield batch
    if highest is not None:
        statement = "UPDATE sqlite_sequence SET seq = :highest WHERE name = 'service_endpoint'"
        op.get_bind().execute(sa.text(statement), {'highest': highest})
        insert = ("INSERT INTO sqlite_sequence (name, seq) SELECT 'service_endpoint', :highest WHERE NOT EXISTS "
                  "(SELECT 1 FROM sqlite_sequence WHERE name = 'service_endpoint')")
        op.get_bind().execute(sa.text(insert), {'highest': highest})
