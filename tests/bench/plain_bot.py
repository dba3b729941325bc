"""What people would write: engine and session as SQLModel's documentation shows them.

https://sqlmodel.tiangolo.com/tutorial/ and, for async, SQLAlchemy's create_async_engine with its defaults.
"""

import os

import discord
from discord import app_commands
from sqlalchemy import BigInteger
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import Field, SQLModel, col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from tests.bench.bare import BareBot
from tests.bench.looks import card, page

Interaction = discord.Interaction[BareBot]


class Hero(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    guild_id: int = Field(sa_type=BigInteger, index=True)
    owner_id: int = Field(sa_type=BigInteger)
    name: str = Field(index=True)
    secret_name: str
    age: int | None = Field(default=None, index=True)
    description: str | None = None


engine = create_async_engine(os.environ["DATABASE_URL"])


class PlainBot(BareBot):
    async def setup_hook(self) -> None:
        async with engine.begin() as connection:
            await connection.run_sync(SQLModel.metadata.create_all)
        await super().setup_hook()


commands = app_commands.Group(name="hero", description="The heroes of this server.")


@commands.command()
async def add(
    interaction: Interaction,
    name: str,
    secret_name: str,
    age: int | None = None,
    description: str | None = None,
) -> None:
    """Add a hero."""
    assert interaction.guild_id is not None
    hero = Hero(
        guild_id=interaction.guild_id,
        owner_id=interaction.user.id,
        name=name,
        secret_name=secret_name,
        age=age,
        description=description,
    )
    async with AsyncSession(engine) as session:
        session.add(hero)
        await session.commit()
        await session.refresh(hero)
    view = card(hero.name, hero.description, hero.age, hero.owner_id, "Announce")
    await interaction.response.send_message(view=view, ephemeral=True)


@commands.command()
async def find(interaction: Interaction, name: str) -> None:
    """Find a hero."""
    async with AsyncSession(engine) as session:
        statement = select(Hero).where(Hero.guild_id == interaction.guild_id, Hero.name == name)
        hero = (await session.exec(statement)).first()
    if hero is None:
        await interaction.response.send_message("There is no such hero.", ephemeral=True)
    else:
        view = card(hero.name, hero.description, hero.age, hero.owner_id)
        await interaction.response.send_message(view=view)


@find.autocomplete("name")
async def suggest(interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
    async with AsyncSession(engine) as session:
        statement = (
            select(Hero.name)
            .where(Hero.guild_id == interaction.guild_id, col(Hero.name).ilike(f"%{typed}%"))
            .order_by(Hero.name)
            .limit(25)
        )
        names = (await session.exec(statement)).all()
    return [app_commands.Choice(name=name, value=name) for name in names]


@commands.command(name="list")
async def list_(interaction: Interaction) -> None:
    """List the heroes."""
    async with AsyncSession(engine) as session:
        mine = Hero.guild_id == interaction.guild_id
        total = (await session.exec(select(func.count()).select_from(Hero).where(mine))).one()
        statement = select(Hero).where(mine).order_by(Hero.name).limit(10)
        heroes = (await session.exec(statement)).all()
    lines = [(hero.name, hero.age, hero.owner_id) for hero in heroes]
    await interaction.response.send_message(view=page(total, lines))


if __name__ == "__main__":
    bot = PlainBot()
    bot.tree.add_command(commands)
    bot.start_now()
