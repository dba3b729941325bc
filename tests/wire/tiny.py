"""A small discord.py bot, by which the stand-in proves itself."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import discord
import yarl
from discord import app_commands, ui
from discord.gateway import DiscordWebSocket
from discord.http import Route

from .wire import Wire

Interaction = discord.Interaction[Any]


class Form(ui.Modal, title="A form"):
    text = ui.Label(text="Name", component=ui.TextInput[Any](custom_id="name", max_length=10))

    async def on_submit(self, interaction: Interaction, /) -> None:
        assert isinstance(self.text.component, ui.TextInput)
        await interaction.response.send_message(f"got {self.text.component.value}")


class Buttons(ui.View):
    @ui.button(label="Change", custom_id="change")
    async def change(self, interaction: Interaction, _: ui.Button[Any]) -> None:
        await interaction.response.edit_message(content="changed", view=None)

    @ui.button(label="Ask", custom_id="ask")
    async def ask(self, interaction: Interaction, _: ui.Button[Any]) -> None:
        await interaction.response.send_modal(Form())

    @ui.select(custom_id="pick", options=[discord.SelectOption(label=each) for each in "abc"])
    async def pick(self, interaction: Interaction, select: ui.Select[Any]) -> None:
        await interaction.response.defer()
        await interaction.edit_original_response(content=f"picked {select.values[0]}")


class Tiny(discord.AutoShardedClient):
    """A bot with one command of each sort; `go` lets its slow ones continue."""

    def __init__(self, **options: Any) -> None:
        super().__init__(intents=discord.Intents(guilds=True), guild_ready_timeout=0.01, **options)
        self.tree = app_commands.CommandTree(self)
        self.go = asyncio.Event()
        self.failures: list[discord.HTTPException] = []
        group = app_commands.Group(name="say", description="Says things")

        @group.command(description="At once")
        async def at_once(interaction: Interaction, text: str, to: discord.Member | None = None) -> None:
            name = "" if to is None else f" {to.display_name}"
            await interaction.response.send_message(text + name, view=Buttons(timeout=None))

        @group.command(description="Deferred")
        async def late(interaction: Interaction, follow: bool = False) -> None:
            await interaction.response.defer(ephemeral=True)
            await self.go.wait()
            if follow:
                await interaction.followup.send("first")
                await interaction.followup.send("second")
            else:
                await interaction.edit_original_response(content="at last")

        @group.command(description="Too late")
        async def too_late(interaction: Interaction) -> None:
            await self.go.wait()
            await self.attempt(interaction.response, "too late")

        @group.command(description="Twice")
        async def twice(interaction: Interaction, text: str) -> None:
            await self.attempt(interaction.response, text)
            await self.attempt(discord.InteractionResponse(interaction), text)

        @group.command(description="A file")
        async def back(interaction: Interaction, file: discord.Attachment) -> None:
            assert isinstance(interaction.channel, discord.TextChannel)
            await interaction.channel.send("posted")
            await interaction.response.send_message(file=await file.to_file())

        @at_once.autocomplete("text")
        async def complete(_: Interaction, typed: str) -> list[app_commands.Choice[str]]:
            return [app_commands.Choice(name=typed + end, value=typed) for end in "xy"]

        self.tree.add_command(group)

        @self.tree.context_menu(name="Who")
        async def who(interaction: Interaction, user: discord.Member) -> None:
            await interaction.response.send_message(
                f"{user.display_name} {user.guild_permissions.manage_guild}"
            )

    async def attempt(self, response: discord.InteractionResponse[Any], text: str) -> None:
        try:
            await response.send_message(text)
        except discord.HTTPException as error:
            self.failures.append(error)

    async def setup_hook(self) -> None:
        await self.tree.sync()

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Without the five seconds that it takes otherwise."""


@asynccontextmanager
async def running(wire: Wire, **options: Any) -> AsyncGenerator[Tiny]:
    """A Tiny that is connected to the stand-in."""
    Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = wire.api_url, yarl.URL(wire.gateway_url)
    async with Tiny(**options) as bot:
        task = asyncio.create_task(bot.start(wire.token))
        await wire.gateway.connected(wire.shards)
        yield bot
        await bot.close()
        await task
