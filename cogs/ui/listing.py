"""The roster as pages of a list."""

from typing import Any

import discord
from discord import ui
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.db.models import Hero
from bot.interactions.answer import answers, asker_of
from bot.interactions.host import Interaction
from bot.interactions.panel import Panel
from bot.interactions.send import Answer, To
from bot.roster.heroes import hero_by_id
from bot.roster.listing import Sort, list_heroes
from bot.text import escape
from cogs.ui.card import load_card
from cogs.ui.menu import Menu
from cogs.ui.pager import PageButton

_ORDER = {Sort.NAME: "by name", Sort.NEWEST: "newest first", Sort.AGE: "oldest first"}


class ListPage(PageButton, kind="list", key=r"(?:name|newest|age):\d{1,20}"):
    """Turn the pages of the roster. The key is the order, and the owner whose heroes are listed, or 0."""

    @answers(To.MESSAGE)
    async def turned(self, interaction: Interaction) -> Answer:
        """Show another page of the roster as it is now."""
        sort, _, owner = self.key.partition(":")
        async with interaction.client.db.read() as session:
            return await list_panel(
                session,
                asker_of(interaction).guild_id,
                owner_id=min(int(owner), 2**63 - 1) or None,
                sort=Sort(sort),
                page=self.page,
            )


class OpenCard(Menu, template="hero:open"):
    """A menu of the heroes on a page. Picking one shows its card to the member who picks."""

    @answers(To.ASKER)
    async def picked(self, interaction: Interaction) -> Answer:
        """Show the card, if the hero is still there."""
        picked = self.value
        # A number that no menu of ours has held is no hero's.
        hero_id = int(picked) if picked.isdecimal() and len(picked) <= 18 else 0  # noqa: PLR2004
        async with interaction.client.db.read() as session:
            hero = await hero_by_id(session, asker_of(interaction), hero_id)
            return await load_card(session, hero)


async def list_panel(
    session: AsyncSession, guild_id: int, *, owner_id: int | None, sort: Sort, page: int = 1
) -> Panel:
    """Return a page of the roster, with buttons to turn it and a menu to open a card; see `list_heroes`."""
    shown = await list_heroes(session, guild_id, owner_id=owner_id, sort=sort, page=page)
    whose = "" if owner_id is None else f" of <@{owner_id}>"
    if not shown.items:
        return Panel(f"There are no heroes{whose} here yet. Add one with `/hero add`.")
    paragraphs = [
        f"## {shown.total:,} {'hero' if shown.total == 1 else 'heroes'}{whose}",
        "\n".join(_line(hero) for hero in shown.items),
        f"-# Page {shown.number:,} of {shown.pages:,}, {_ORDER[sort]}",
    ]
    options = [discord.SelectOption(label=hero.name, value=str(hero.id)) for hero in shown.items]
    menu = ui.Select[Any](custom_id="hero:open", placeholder="Open a card, for you alone", options=options)
    pages = ListPage.rows(shown, f"{sort}:{owner_id or 0}")
    return Panel(*paragraphs, ui.ActionRow[Any](OpenCard(menu)), *pages)


def _line(hero: Hero) -> str:
    age = "" if hero.age is None else f" · age {hero.age:,}"
    return f"**{escape(hero.name)}** · <@{hero.owner_id}>{age}"
