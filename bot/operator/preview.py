"""The real bot against a simulated Discord, in a local web page: no token, no network, no trace."""

import asyncio
import logging
import os
import signal
import sys
import tempfile
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

import discord
import typer
from PIL import Image, ImageDraw
from pydantic import SecretStr
from sqlalchemy import URL

from bot.client import HeroBot
from bot.errors import EX_UNAVAILABLE, OperatorError
from bot.images.portrait import shrink
from bot.roster.adding import add_hero, new_hero
from bot.roster.asker import Asker
from bot.roster.portraits import set_portrait
from bot.roster.vault import new_key
from bot.settings import Settings

# simcord, while it is imported, makes a client that warns about what it lacks; ours lacks nothing.
logging.getLogger("discord").setLevel(logging.ERROR)
import simcord  # noqa: E402

if TYPE_CHECKING:
    from simcord.env import Env

HEROES: Final = (
    (320, "Ines", "Captain North America", "Esteban Rogelios", 93, "Slept through most of it."),
    (290, "Mara", "Deadpond", "Dive Wilson", None, "Talks to the reader. Heals. Never shuts up."),
    (283, "Mara", "Spider-Boy", "Pedro Parqueador", 16, "Swings by after school, if there is no homework."),
    (241, "Tom", "Rusty-Man", "Tommy Sharp", 48, "Built the suit in a cave. Forgot the oil."),
    (240, "Tom", "Tarantula", "Natalia Roman-on", 32, "Was never here."),
    (187, "Tom", "Thursdor", "Donar Almostfriday", 3_021, "God of nearly the weekend."),
    (130, "Ines", "Granny Gravity", "Isa Newton", 84, "Brings everyone down, lovingly."),
    (96, "Mara", "Null Pointer", "Noelle Poynter", 29, "Points at the villain. Nothing is there."),
    (88, "Ines", "The Lone Sock", "Left Twin", 12_500, "Guardian spirit of all that the laundry took."),
    (41, "Mara", "Ninth Cat", "Miss Whiskers", 9, "Eight lives down. Careful now."),
    (23, "Tom", "Sergeant Semicolon", "Dot Comma", 41, "Ends things; rarely for good."),
    (12, "Ines", "Madame Maybe", "Perhaps Miller", None, None),
    (3, "Mara", "The Procrastinator", "Lena Later", 27, "Will save the world. Tomorrow."),
)
"""Who plays whom since when: days ago, player, name, secret identity, age, description."""

WELCOME: Final = """\
Welcome to the Hall of Heroes! Type one of these below, and pick it from the list that opens:
- `/hero find` shows a hero, here for example Spider-Boy
- `/hero add` brings in a hero of your own
- `/hero list` leafs through all of them
- `/hero stats` counts them and draws the numbers

**Secret identity** on a card tells the hero's player, and those they trust, who that really is."""

INTRODUCTION: Final = """
The preview is at  {url}

It shows the channel #heroes of a made-up server. Good to begin with: /hero find, /hero add, /hero list and
/hero stats. At the top of the page, choose as whom you view it:
  Mara  a member; she plays Spider-Boy and Deadpond, among others
  Tom   a keeper, who may manage the server; he plays Rusty-Man and Tarantula, among others
  Ines  the owner of the server; she plays Captain North America, among others

Time stands still there. To let it pass, type a number of minutes here. Ctrl+C ends the preview."""

SHOWN: Final = "Spider-Boy"
"""Whose card, with a portrait, stands in the channel already."""

MINUTES_MOST: Final = 365 * 24 * 60
"""How far the clock moves at once: a year."""


async def preview(settings: Settings, *, port: int | None = None) -> None:
    """Serve the page until SIGINT or SIGTERM, or until somebody ends it there.

    Args:
        settings: only how to log is taken from them.
        port: of the page; None for any that is free.

    Raises:
        OperatorError: the port is taken, or what the page needs is not installed.
    """
    stop = asyncio.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signum, stop.set)
    with tempfile.TemporaryDirectory(prefix="hero-roster-") as folder:
        own = Settings.model_construct(
            discord_token=SecretStr("preview"),
            database_url=URL.create("sqlite+aiosqlite", database=str(Path(folder) / "heroes.db")),
            secret_keys=(SecretStr(new_key()),),
            log_level=settings.log_level,
            log_format=settings.log_format,
            log_sql=settings.log_sql,
        )
        bot = HeroBot(own, shard_count=1)
        try:
            async with simcord.run(bot, check_errors=False) as env, AsyncExitStack() as serving:
                page = await _page(env, bot, port)
                try:
                    await serving.enter_async_context(page)
                except simcord.SetupError as error:
                    raise OperatorError(f"The preview can't start: {error}.", EX_UNAVAILABLE) from error
                typer.echo(INTRODUCTION.format(url=page.url))
                clock = asyncio.create_task(_clock(env, page))
                closed = asyncio.create_task(page.wait_closed())
                closed.add_done_callback(lambda _: stop.set())
                await stop.wait()
                clock.cancel()
                with suppress(asyncio.CancelledError):
                    await clock
        finally:
            await bot.close()


async def _page(env: "Env", bot: HeroBot, port: int | None) -> simcord.Preview:
    """A page on a channel in which the conversation has begun; it is not served yet."""
    # The simulated clock starts in the past, but heroes are dated by the computer's.
    bot.daily.cancel()
    await env.advance_time((datetime.now(UTC) - env.now()).total_seconds())
    assert bot.user is not None, "simcord logs the bot in"
    await bot.user.edit(username="Hero Roster")
    ines = env.create_user("ines")
    guild = env.create_guild("Hall of Heroes", owner=ines)
    keeper = guild.create_role(
        "Keeper", permissions=discord.Permissions(manage_guild=True), color=discord.Colour.gold().value
    )
    people = {
        "Mara": guild.add_member(env.create_user("mara"), nick="Mara"),
        "Tom": guild.add_member(env.create_user("tom"), nick="Tom (keeper)", roles=[keeper]),
        "Ines": guild.add_member(ines, nick="Ines (owner)"),
    }
    now = env.now()
    for days, player, name, secret_name, age, description in HEROES:
        asker = Asker(people[player].id)
        added = now - timedelta(days=days)
        async with bot.db.write() as session:
            wanted = new_hero(
                guild_id=guild.id,
                owner_id=asker.id,
                vault=bot.vault,
                name=name,
                secret_name=secret_name,
                age=age,
                description=description,
                now=added,
            )
            hero = await add_hero(session, wanted, asker.quota)
            if name == SHOWN:
                image = await shrink(_portrait())
                await set_portrait(
                    session, guild_id=guild.id, hero_id=hero.id, image=image, asker=asker, now=added
                )
    channel = guild.create_text_channel("heroes", topic="Who is who in the Hall of Heroes")
    await people["Ines"].send(channel, WELCOME)
    await people["Tom"].slash(channel, "hero find", name=SHOWN)
    return env.preview(channel, viewers=list(people.values()), layout="channel", port=port)


def _portrait() -> bytes:
    """A PNG of somebody who smiles behind a mask."""
    picture = Image.new("RGB", (512, 512), "#7cc6fe")
    draw = ImageDraw.Draw(picture)
    draw.ellipse((-80, 400, 592, 900), fill="#b3261e")
    draw.ellipse((106, 70, 406, 450), fill="#f2c9a1")
    draw.chord((106, 40, 406, 320), 190, 350, fill="#5b3a1e")
    draw.rounded_rectangle((90, 185, 422, 290), 50, fill="#b3261e")
    for x in (150, 280):
        draw.ellipse((x, 200, x + 82, 275), fill="white")
        draw.ellipse((x + 30, 222, x + 60, 256), fill="#1c1b1f")
    draw.arc((186, 270, 326, 390), 25, 155, fill="#7a2e1f", width=12)
    png = BytesIO()
    picture.save(png, "PNG")
    return png.getvalue()


async def _clock(env: "Env", page: simcord.Preview) -> None:
    """Let simulated minutes pass for each number typed into the terminal."""
    lines = _terminal()
    while line := await lines.readline():
        try:
            minutes = float(line)
        except ValueError:
            minutes = 0.0
        if not 0 < minutes <= MINUTES_MOST:
            typer.echo(f"Type a number of minutes, such as 5; {MINUTES_MOST:,} at most.")
            continue
        try:
            await env.advance_time(minutes * 60)
            await page.refresh()
        except (simcord.SetupError, TimeoutError):
            typer.echo("The page is busy. Please type that again.")
        else:
            typer.echo(f"{minutes:g} minutes have passed there. It is {env.now():%d %B %Y, %H:%M} UTC.")


def _terminal() -> asyncio.StreamReader:
    """The lines of standard input; none where it is closed, or a file or device that can't be waited for."""
    lines = asyncio.StreamReader()
    loop = asyncio.get_running_loop()

    def read() -> None:
        # Not by connect_read_pipe: that leaves the terminal in a state that breaks the shell's next program.
        data = os.read(fileno, 4096)
        if data:
            lines.feed_data(data)
        else:
            loop.remove_reader(fileno)
            lines.feed_eof()

    try:
        fileno = sys.stdin.fileno()
        loop.add_reader(fileno, read)
    except (AttributeError, OSError, ValueError):
        lines.feed_eof()
    return lines
