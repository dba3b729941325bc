"""The bot as handlers know it, and the handlers that run."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeAlias

import discord
from discord.ext import commands

from bot.db.engine import Database
from bot.interactions.form import Form, typed_in
from bot.roster.vault import Vault
from bot.settings import Settings


class Host(commands.AutoShardedBot):
    """The bot, as far as handlers know it.

    Args:
        settings: the operator's settings.
        options: for discord.py.
    """

    db: Database
    """The one database, from `setup_hook` to `close`."""

    def __init__(self, settings: Settings, **options: Any) -> None:
        super().__init__(**options)
        self.settings = settings
        self.vault = Vault(settings.secret_keys)
        self._running: set[asyncio.Task[Any]] = set()
        self._forms: list[type[Form]] = []
        self._stopping = False

    def add_forms(self, *forms: type[Form]) -> None:
        """Handle the submissions of these forms, also of those shown before the last restart."""
        self._forms += forms

    async def on_interaction(self, interaction: "Interaction") -> None:
        """Handle a submitted form; discord.py itself hands on commands and components."""
        if interaction.type is not discord.InteractionType.modal_submit:
            return
        data: Any = interaction.data
        for form in self._forms:
            match = form.template.fullmatch(data["custom_id"])
            if match is not None:
                await form.submitted(interaction, match, typed_in(data))

    def may_handle(self) -> bool:
        """Return whether the current task may handle an interaction; `handlers_run` then waits for its end.

        No task may while the bot stops: a process that takes over answers, and two answers are an error.
        """
        if self._stopping:
            return False
        task = asyncio.current_task()
        assert task is not None, "discord.py handles each interaction in a task"
        if task not in self._running:
            # A command asks twice: before it runs, and as any handler does.
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        return True

    async def run_handler(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a handler to its end, also while the bot stops; start none once it is stopping."""
        if self.may_handle():
            await work
        else:
            work.close()

    def refuse_handlers(self) -> None:
        """Refuse to start further handlers."""
        self._stopping = True

    async def handlers_run(self, within: float) -> bool:
        """Wait up to so many seconds for running handlers; return whether some still run."""
        running = self._running - {asyncio.current_task()}
        return bool(running) and bool((await asyncio.wait(running, timeout=within))[1])


Interaction: TypeAlias = discord.Interaction[Host]
