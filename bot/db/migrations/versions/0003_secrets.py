"""Secret identities that are encrypted and shared, and guilds that were left."""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns for keys. Plain text stays plain until `python -m bot keys rotate`."""
    op.add_column("hero", sa.Column("secret_key", sa.Text(), nullable=True))
    op.add_column("hero", sa.Column("secret_seal", sa.Text(), server_default="", nullable=False))
    hero = sa.table("hero", sa.column("id", sa.BigInteger()), sa.column("secret_seal", sa.Text()))
    connection = op.get_bind()
    for hero_id in connection.scalars(sa.select(hero.c.id)).all():
        seal = {"secret_seal": secrets.token_hex(16)}
        connection.execute(sa.update(hero).where(hero.c.id == hero_id).values(seal))
    op.create_index("ix_hero_secret_key", "hero", ["secret_key"])
    op.create_table(
        "confidant",
        sa.Column("hero_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["hero_id"], ["hero.id"], name=op.f("fk_confidant_hero_id_hero"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("hero_id", "user_id", name=op.f("pk_confidant")),
    )
    op.create_index("ix_confidant_user_id", "confidant", ["user_id"])
    op.create_table(
        "departure",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("guild_id", name=op.f("pk_departure")),
    )


def downgrade() -> None:
    """Drop all that again. Encrypted secret identities stay encrypted; decrypting them is then impossible."""
    op.drop_table("departure")
    op.drop_table("confidant")
    op.drop_index("ix_hero_secret_key", "hero")
    op.drop_column("hero", "secret_seal")
    op.drop_column("hero", "secret_key")
