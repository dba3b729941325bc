"""A hero's history as pages."""

from typing import Any

import discord
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.answer import Answer, Interaction, To, answers, asker_of, guild_of
from bot.db.models import Action, Hero, HistoryEntry
from bot.panel import Panel
from bot.roster.heroes import hero_by_id
from bot.roster.history import history_page
from bot.text import escape, quote
from cogs.ui.pager import PageButton

_DID = {
    Action.ADDED: "added this hero",
    Action.EDITED: "edited it",
    Action.PORTRAYED: "changed its portrait",
    Action.REMOVED: "removed it",
    Action.RESTORED: "restored it",
    Action.TRANSFERRED: "accepted it",
    Action.CLAIMED: "claimed it",
}
_FIELD = {
    "name": "name",
    "age": "age",
    "description": "description",
    "owner_id": "owner",
    "secret_name": "secret identity",
    "has_portrait": "portrait",
}


class HistoryPage(PageButton, kind="history", key=r"\d{1,18}"):
    """Turns the pages of a hero's history. Its key is the hero's number."""

    @answers(To.MESSAGE)
    async def turned(self, interaction: Interaction) -> Answer:
        """Show another page, if whoever clicks may still read it."""
        async with interaction.client.db.read() as session:
            hero = await hero_by_id(session, guild_id=guild_of(interaction), hero_id=int(self.key))
            asker_of(interaction).require_care_of(hero)
            return await history_panel(session, hero, self.page)


async def history_panel(session: AsyncSession, hero: Hero, page: int = 1) -> Panel:
    """A page of what happened to a hero, newest first; whoever asks was let pass before.

    Args:
        session: one that reads.
        hero: the hero.
        page: from 1.
    """
    shown = await history_page(session, guild_id=hero.guild_id, hero_id=hero.id, page=page)
    return Panel(
        f"## The history of {escape(hero.name)}",
        "\n".join(_entry(entry) for entry in shown.items) or "Nothing was written down yet.",
        f"-# Page {shown.number} of {shown.pages}, newest first",
        *HistoryPage.rows(shown, str(hero.id)),
    )


def _entry(entry: HistoryEntry) -> str:
    when = discord.utils.format_dt(entry.at, "f")
    lines = [f"{when} · <@{entry.actor_id}> {_DID[entry.action]}"]
    lines += [f"-# {_FIELD[field]}{_change(field, values)}" for field, values in entry.changes.items()]
    return "\n".join(lines)


def _change(field: str, values: list[Any]) -> str:
    if not values:
        return " changed"
    old, new = (_value(field, value) for value in values)
    return f": {old} → {new}"


def _value(field: str, value: Any) -> str:
    if value is None or value is False:
        return "none"
    if value is True:
        return "there"
    if field == "owner_id":
        return f"<@{value}>"
    return f"{value:,}" if isinstance(value, int) else quote(value)
