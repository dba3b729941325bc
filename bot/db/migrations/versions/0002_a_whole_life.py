"""History, portraits, and what a hero's later life needs."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def _row_id() -> sa.BigInteger:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables, and tell which heroes have a portrait: none yet."""
    op.add_column("hero", sa.Column("has_portrait", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_index("ix_hero_guild_id_owner_id", "hero", ["guild_id", "owner_id"])
    op.create_index(
        "ix_hero_removed_at",
        "hero",
        ["removed_at"],
        sqlite_where=sa.text("removed_at IS NOT NULL"),
        postgresql_where=sa.text("removed_at IS NOT NULL"),
    )
    _create_history()
    op.create_table(
        "portrait",
        sa.Column("hero_id", _row_id(), nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("image", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["hero_id"], ["hero.id"], name=op.f("fk_portrait_hero_id_hero"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("hero_id", name=op.f("pk_portrait")),
    )
    op.create_table(
        "daily_task",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_daily_task")),
    )


def _create_history() -> None:
    op.create_table(
        "history",
        sa.Column("id", _row_id(), nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("hero_id", _row_id(), nullable=False),
        sa.Column("actor_id", sa.BigInteger(), nullable=True),
        sa.Column("other_id", sa.BigInteger(), nullable=True),
        sa.Column("action", sa.String(20), nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["hero_id"], ["hero.id"], name=op.f("fk_history_hero_id_hero"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_history")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_history_guild_id_hero_id_id", "history", ["guild_id", "hero_id", "id"])
    op.create_index("ix_history_actor_id_at", "history", ["actor_id", "at"])
    op.create_index("ix_history_other_id", "history", ["other_id"])


def downgrade() -> None:
    """Drop all that again."""
    op.drop_table("daily_task")
    op.drop_table("portrait")
    op.drop_table("history")
    op.drop_index("ix_hero_removed_at", "hero")
    op.drop_index("ix_hero_guild_id_owner_id", "hero")
    op.drop_column("hero", "has_portrait")
