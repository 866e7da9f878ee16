"""api clients: tokens and OAuth applications, their access tokens; by which of them something was done

Revision ID: 0008
Revises: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this revision."""
    op.create_table('api_client',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('client_id', sa.String(length=32), nullable=False),
    sa.Column('kind', sa.SmallInteger(), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('secret_hash', sa.LargeBinary(length=32), nullable=False),
    sa.Column('scopes', sa.SmallInteger(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['user_id'], ['user_account.id'], name=op.f('fk_api_client_user_id_user_account'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_api_client')),
    sa.UniqueConstraint('client_id', name=op.f('uq_api_client_client_id'))
    )
    op.create_index('ix_api_client_user_id', 'api_client', ['user_id'], unique=False)
    op.create_table('api_access_token',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('token_hash', sa.LargeBinary(length=32), nullable=False),
    sa.Column('api_client_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('scopes', sa.SmallInteger(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['api_client_id'], ['api_client.id'], name=op.f('fk_api_access_token_api_client_id_api_client'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_api_access_token')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_api_access_token_token_hash'))
    )
    op.create_index('ix_api_access_token_api_client_id', 'api_access_token', ['api_client_id'], unique=False)
    op.create_index('ix_api_access_token_expires_at', 'api_access_token', ['expires_at'], unique=False)
    # Added without a batch, which would copy the table.
    op.add_column('audit_entry', sa.Column('via', sa.String(length=120), nullable=True))


def downgrade() -> None:
    """Take this revision back."""
    op.drop_column('audit_entry', 'via')
    op.drop_index('ix_api_access_token_expires_at', table_name='api_access_token')
    op.drop_index('ix_api_access_token_api_client_id', table_name='api_access_token')
    op.drop_table('api_access_token')
    op.drop_index('ix_api_client_user_id', table_name='api_client')
    op.drop_table('api_client')
