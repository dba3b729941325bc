"""/mydata: what is kept about a member, for that member."""

import io
import json
import re
from typing import Any, Literal

import discord
from discord import app_commands
from discord.ext import commands
from typing_extensions import override

from bot.interactions.answer import answers, asker_of
from bot.interactions.faults import Refused
from bot.interactions.form import Form
from bot.interactions.host import Host, Interaction
from bot.interactions.panel import Panel, attachment
from bot.interactions.send import Answer, To
from bot.roster.personal import Kept, erase_member, everything_about, what_is_kept

WORD = "ERASE"
"""The word that the form asks for."""

Where = Literal["this server", "every server"]


class MyDataCog(
    commands.GroupCog, group_name="mydata", group_description="What is kept about you, and your say in it."
):
    """The commands under /mydata. Everyone may ask about themselves, and about nobody else."""

    def __init__(self, bot: Host) -> None:
        super().__init__()
        self.bot = bot

    @app_commands.command()
    @answers(To.ASKER)
    async def show(self, interaction: Interaction) -> Answer:
        """Show what is kept about you, and why."""
        asker = asker_of(interaction)
        async with self.bot.db.read() as session:
            here = await what_is_kept(session, asker.id, asker.guild_id)
            everywhere = await what_is_kept(session, asker.id)
        return Panel(
            "## What is kept about you",
            f"**In this server:** {_told(here)}\n**In every server:** {_told(everywhere)}",
            "Your heroes are kept so that this server can find them; a removed one for 30 days, so that you "
            "can bring it back. Their histories tell their owners and keepers who did what. Your Discord id "
            "stands by each of these, and nothing else is known of you.",
            "`/mydata export` gives you all of it; `/mydata erase` erases it.",
        )

    @app_commands.command()
    @answers(To.ASKER)
    async def export(self, interaction: Interaction) -> Answer:
        """Get all that is kept about you, in every server, as one file."""
        async with self.bot.db.read() as session:
            everything = await everything_about(session, interaction.user.id, self.bot.vault)
        text = json.dumps(everything, ensure_ascii=False, indent=2)
        file = discord.File(io.BytesIO(text.encode()), "hero-roster.json")
        return Panel(
            "Here is all that is kept about you. The secret identities of your heroes are in it: mind where "
            "you save it.",
            attachment(file),
            files=[file],
        )

    @app_commands.command()
    @app_commands.describe(where="Only in this server, or everywhere")
    @answers(To.ASKER)
    async def erase(self, interaction: Interaction, where: Where = "this server") -> Answer:
        """Erase your heroes and all else that is kept about you, for good."""
        return EraseForm(where)


class EraseForm(Form):
    """The form that asks for a word which nobody types by mistake.

    Args:
        where: in this server, or in every one.
    """

    template = re.compile(r"mydata:erase:(?P<where>this server|every server)")

    def __init__(self, where: Where) -> None:
        super().__init__(title="Erase all that is kept about you", custom_id=f"mydata:erase:{where}")
        self.add_text(
            "word",
            f"Type {WORD} to erase it in {where}",
            hint="Your heroes go for good, with their portraits and histories. This can't be undone.",
            most=20,
        )

    @classmethod
    @override
    @answers(To.ASKER)
    async def submitted(
        cls, interaction: discord.Interaction[Any], match: re.Match[str], typed: dict[str, str]
    ) -> Answer:
        if typed.get("word", "").strip().upper() != WORD:
            raise Refused(f"Nothing was erased: the word was not {WORD}. `/mydata erase` asks again.")
        guild_id = asker_of(interaction).guild_id if match["where"] == "this server" else None
        async with interaction.client.db.write() as session:
            erased = await erase_member(session, interaction.user.id, guild_id)
        heroes = "one hero" if erased == 1 else f"{erased} heroes"
        return f"Done. What was kept about you in {match['where']} is erased, with {heroes}."


def _told(kept: Kept) -> str:
    return (
        f"{kept.heroes} in the roster, {kept.removed} removed, trusted with {kept.trusted_with} secret "
        f"identities of others, named {kept.deeds} times in histories"
    )


async def setup(bot: Host) -> None:
    """Load this cog."""
    bot.add_forms(EraseForm)
    await bot.add_cog(MyDataCog(bot))
