"""Count a guild's heroes, and a member's, by an index alone."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take into the index which heroes are removed."""
    op.drop_index("ix_hero_guild_id_owner_id", "hero")
    op.create_index("ix_hero_guild_id_owner_id_removed_at", "hero", ["guild_id", "owner_id", "removed_at"])


def downgrade() -> None:
    """Leave it out again."""
    op.drop_index("ix_hero_guild_id_owner_id_removed_at", "hero")
    op.create_index("ix_hero_guild_id_owner_id", "hero", ["guild_id", "owner_id"])
