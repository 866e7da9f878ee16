"""accounts: links to set a password, what is known of sessions, the audit log

Revision ID: 0007
Revises: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this revision."""
    op.create_table('audit_entry',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.Column('account_id', sa.Integer(), nullable=True),
    sa.Column('actor', sa.String(length=254), nullable=False),
    sa.Column('action', sa.SmallInteger(), nullable=False),
    sa.Column('kind', sa.SmallInteger(), nullable=False),
    sa.Column('subject_id', sa.BigInteger(), nullable=True),
    sa.Column('subject', sa.String(length=254), nullable=False),
    sa.Column('changes', sa.JSON(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_audit_entry'))
    )
    op.create_index('ix_audit_entry_at', 'audit_entry', ['at', 'id'], unique=False)
    op.create_index('ix_audit_entry_actor', 'audit_entry', ['actor', 'at', 'id'], unique=False)
    op.create_index('ix_audit_entry_kind', 'audit_entry', ['kind', 'at', 'id'], unique=False)
    op.create_table('password_link',
    sa.Column('user_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('token_hash', sa.LargeBinary(length=32), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['user_account.id'], name=op.f('fk_password_link_user_id_user_account'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('user_id', name=op.f('pk_password_link')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_password_link_token_hash'))
    )
    # Columns are added without a batch: it would copy the table, and a copy forgets which ids were given before.
    op.add_column('user_account', sa.Column('password_set_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column('user_account', sa.Column('last_sign_in_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column('user_session', sa.Column('address', sa.String(length=45), server_default='', nullable=False))
    # Until now nobody could have an account without having chosen its password.
    op.execute('UPDATE user_account SET password_set_at = created_at')


def downgrade() -> None:
    """Take this revision back."""
    op.drop_column('user_session', 'address')
    op.drop_column('user_account', 'last_sign_in_at')
    op.drop_column('user_account', 'password_set_at')
    op.drop_table('password_link')
    op.drop_index('ix_audit_entry_kind', table_name='audit_entry')
    op.drop_index('ix_audit_entry_actor', table_name='audit_entry')
    op.drop_index('ix_audit_entry_at', table_name='audit_entry')
    op.drop_table('audit_entry')
