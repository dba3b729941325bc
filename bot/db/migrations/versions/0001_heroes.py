"""Heroes, and what Discord was told of the commands."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _binary_text(length: int) -> sa.String:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    """Make the first tables."""
    op.create_table(
        "hero",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("name", _binary_text(80), nullable=False),
        sa.Column("name_key", _binary_text(400), nullable=False),
        sa.Column("secret_name", sa.Text(), nullable=False),
        sa.Column("age", sa.Integer(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("age BETWEEN 0 AND 1000000", name=op.f("ck_hero_age")),
        sa.CheckConstraint("length(description) BETWEEN 1 AND 1000", name=op.f("ck_hero_description")),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 80", name=op.f("ck_hero_name")),
        sa.CheckConstraint("length(name_key) >= 1", name=op.f("ck_hero_name_key")),
        sa.CheckConstraint("length(secret_name) >= 1", name=op.f("ck_hero_secret_name")),
        sa.CheckConstraint("version >= 1", name=op.f("ck_hero_version")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hero")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "uq_hero_guild_id_name_key",
        "hero",
        ["guild_id", "name_key"],
        unique=True,
        sqlite_where=sa.text("removed_at IS NULL"),
        postgresql_where=sa.text("removed_at IS NULL"),
    )
    _create_synced_commands()


def _create_synced_commands() -> None:
    op.create_table(
        "synced_commands",
        sa.Column("application_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("synced_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("application_id", "guild_id", name=op.f("pk_synced_commands")),
    )


def downgrade() -> None:
    """Drop them again."""
    op.drop_table("synced_commands")
    op.drop_table("hero")
