"""A simulated Discord with two servers and their people, and the real bot in it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import discord
from discord import app_commands
from simcord import ChannelHandle, Env, GuildHandle, InteractionResult, MemberActor, ResponseMessage
from sqlalchemy import URL
from sqlmodel import select

from bot.client import HeroBot
from bot.db.models import Hero
from bot.settings import Settings

DAY = 24 * 60 * 60.0


@dataclass
class World:
    """One running bot, and who is there."""

    env: Env
    bot: HeroBot
    guild: GuildHandle
    channel: ChannelHandle
    alice: MemberActor
    bob: MemberActor
    keeper: MemberActor

    async def add(self, who: MemberActor, name: str, **options: Any) -> InteractionResult:
        """Add a hero as somebody; an option that is None is left out."""
        options.setdefault("secret_name", f"{name} at home")
        options = {option: value for option, value in options.items() if value is not None}
        return await who.slash(self.channel, "hero add", name=name, **options)


def settings_for(url: URL, **values: Any) -> Settings:
    """Settings that do not depend on the environment of whoever runs the tests."""
    return Settings.model_validate({"discord_token": "test", "database_url": url, **values})


@asynccontextmanager
async def discord_on(url: URL) -> AsyncGenerator[Env]:
    """Start the bot on that database; an error that it leaves unhandled fails the test."""
    bot = HeroBot(settings_for(url), shard_count=1)
    env = Env(bot)
    try:
        await env.start()
        yield env
        await env.shutdown()
        unexpected = [error for error in env.errors if not isinstance(error, app_commands.CommandNotFound)]
        assert unexpected == []
    finally:
        await bot.close()


def populate(env: Env) -> World:
    """Make a server with two members and a keeper."""
    guild = env.create_guild("Hall of Heroes")
    channel = guild.create_text_channel("heroes")
    keepers = guild.create_role("Keeper", permissions=discord.Permissions(manage_guild=True))
    assert isinstance(env.bot, HeroBot)
    return World(
        env,
        env.bot,
        guild,
        channel,
        alice=guild.add_member(env.create_user("alice")),
        bob=guild.add_member(env.create_user("bob")),
        keeper=guild.add_member(env.create_user("keeper"), roles=[keepers]),
    )


def answer_of(result: InteractionResult) -> ResponseMessage:
    """The one message that answered an interaction; an answer that never came fails here."""
    answers = [message for message in (result.response, *result.followups) if message is not None]
    assert len(answers) == 1, f"{len(answers)} answers"
    return answers[0]


def text_of(result: InteractionResult) -> str:
    """Everything that one reads in the answer, wherever it stands in it."""

    def texts(components: list[dict[str, Any]]) -> list[str]:
        found: list[str] = []
        for component in components:
            found += [component["content"]] if "content" in component else []
            found += texts(component.get("components", []))
        return found

    answer = answer_of(result)
    return "\n".join([answer.content, *texts(answer.components)]).strip()


def labels_of(result: InteractionResult) -> list[str]:
    """The labels of the buttons in the answer, and the options of its menus."""

    def labels(components: list[dict[str, Any]]) -> list[str]:
        found: list[str] = []
        for component in components:
            found += [component["label"]] if "label" in component else []
            found += [option["label"] for option in component.get("options", [])]
            found += labels(component.get("components", []))
        return found

    return labels(answer_of(result).components)


def assert_private(result: InteractionResult) -> None:
    """The answer came, and only the asker sees it."""
    assert result.acknowledged
    assert answer_of(result).ephemeral


def assert_public(result: InteractionResult) -> None:
    """The answer came, and the channel sees it."""
    assert result.acknowledged
    assert not answer_of(result).ephemeral


def fields_of(form: InteractionResult) -> dict[str, Any]:
    """What stands in each field of a form."""
    assert form.modal is not None, text_of(form)
    labels = [part["component"] for part in form.modal["components"]]
    return {field["custom_id"]: field.get("value") for field in labels}


async def hero_in(world: World, name: str = "Deadpond") -> Hero | None:
    """The hero of that name, as the database has it."""
    async with world.bot.db.read() as session:
        return (await session.exec(select(Hero).where(Hero.name == name))).one_or_none()


async def restart(world: World, **settings: Any) -> HeroBot:
    """End the bot, and connect a new process of it to the same Discord; close that one in the end.

    Args:
        world: where it runs.
        settings: those of the new bot that differ from `settings_for`.
    """
    url = world.bot.settings.database_url
    await world.bot.close()
    world.bot = HeroBot(settings_for(url, **settings), shard_count=1)
    await world.env.restart_bot(world.bot)
    return world.bot
