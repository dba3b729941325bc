"""A hero's history as pages."""

from typing import Any

import discord
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.db.models import Action, Hero, HistoryEntry
from bot.interactions.answer import answers, asker_of
from bot.interactions.host import Interaction
from bot.interactions.panel import Panel
from bot.interactions.send import Answer, To
from bot.roster.asker import Asker, Right
from bot.roster.heroes import hero_by_id
from bot.roster.history import history_page
from bot.text import escape, quote
from cogs.ui.pager import PageButton

_DID = {
    Action.ADDED: "added this hero",
    Action.EDITED: "edited it",
    Action.REMOVED: "removed it",
    Action.RESTORED: "restored it",
    Action.TRANSFERRED: "accepted it from {other}",
    Action.CLAIMED: "claimed it after {other} had left",
    Action.CONFIDED: "trusted {other} with its secret identity",
    Action.UNCONFIDED: "no longer trusted {other} with its secret identity",
    Action.LOOKED: "looked at its secret identity",
}
_PORTRAYED: dict[tuple[Any, ...], str] = {
    (False, True): "gave it a portrait",
    (True, True): "gave it another portrait",
    (True, False): "took its portrait away",
}
_FIELD = {
    "name": "name",
    "age": "age",
    "description": "description",
    "secret_name": "secret identity",
}


class HistoryPage(PageButton, kind="history", key=r"\d{1,18}"):
    """Turn the pages of a hero's history. The key is the hero's number."""

    @answers(To.MESSAGE)
    async def turned(self, interaction: Interaction) -> Answer:
        """Show another page, if the member who clicks may still read it."""
        asker = asker_of(interaction)
        async with interaction.client.db.read() as session:
            hero = await hero_by_id(session, asker, int(self.key), Right.OWNER_OR_KEEPER)
            return await history_panel(session, asker, hero, self.page)


async def history_panel(session: AsyncSession, asker: Asker, hero: Hero, page: int = 1) -> Panel:
    """Return a page of what happened to a hero, newest first.

    Args:
        session: one that reads.
        asker: who asks, whose right was checked before; the owner sees more than a keeper.
        hero: the hero.
        page: from 1.
    """
    shown = await history_page(session, asker, hero, page)
    return Panel(
        f"## The history of {escape(hero.name)}",
        "\n".join(_entry(entry) for entry in shown.items) or "Nothing was written down yet.",
        f"-# Page {shown.number} of {shown.pages}, newest first",
        *HistoryPage.rows(shown, str(hero.id)),
    )


def _entry(entry: HistoryEntry) -> str:
    when = discord.utils.format_dt(entry.at, "f")
    if entry.action is Action.PORTRAYED:
        return f"- {when} · {_who(entry.actor_id)} {_PORTRAYED[tuple(entry.changes['has_portrait'])]}"
    did = _DID[entry.action].format(other=_who(entry.other_id))
    lines = [f"- {when} · {_who(entry.actor_id)} {did}"]
    lines += [f"  -# {_FIELD[field]}{_change(values)}" for field, values in entry.changes.items()]
    return "\n".join(lines)


def _who(user_id: int | None) -> str:
    return "somebody" if user_id is None else f"<@{user_id}>"


def _change(values: list[Any]) -> str:
    if not values:
        return " changed"
    old, new = (_value(value) for value in values)
    return f": {old} → {new}"


def _value(value: Any) -> str:
    if value is None:
        return "none"
    return f"{value:,}" if isinstance(value, int) else quote(value)
