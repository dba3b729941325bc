"""The server that the preview shows: its members, their heroes, and the start of a conversation."""

from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Final

import discord
from PIL import Image, ImageDraw

from bot.client import HeroBot
from bot.images.portrait import shrink
from bot.roster.adding import add_hero
from bot.roster.asker import Asker
from bot.roster.portraits import set_portrait

if TYPE_CHECKING:
    from simcord import GuildHandle, MemberActor, Preview
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
"""Days since the hero was added, player, name, secret identity, age, description."""

WELCOME: Final = """\
Welcome to the Hall of Heroes! Type one of these below, and pick it from the list that opens:
- `/hero find` shows a hero, here for example Spider-Boy
- `/hero add` brings in a hero of your own
- `/hero list` leafs through all of them
- `/hero stats` counts them and draws the numbers

**Secret identity** on a card tells the hero's player, and those they trust, who that really is."""

SHOWN: Final = "Spider-Boy"
"""The hero with a portrait, whose card is the last message of the channel."""


async def furnish(env: "Env", bot: HeroBot, port: int | None) -> "Preview":
    """Fill a simulated Discord and return a page on its channel, which is not served yet."""
    # The simulated clock starts in the past, but the bot dates heroes by the real clock.
    await bot.unload_extension("cogs.housekeeping")
    await env.advance_time((datetime.now(UTC) - env.now()).total_seconds())
    assert bot.user is not None, "simcord logs the bot in"
    await bot.user.edit(username="Hero Roster")
    guild, members = _guild(env)
    await _add_heroes(bot, guild.id, {name: member.id for name, member in members.items()}, env.now())
    channel = guild.create_text_channel("heroes", topic="Who is who in the Hall of Heroes")
    await members["Ines"].send(channel, WELCOME)
    await members["Tom"].slash(channel, "hero find", name=SHOWN)
    return env.preview(channel, viewers=list(members.values()), layout="channel", port=port)


def _guild(env: "Env") -> "tuple[GuildHandle, dict[str, MemberActor]]":
    """Create a guild with three members; return it, and the members by name."""
    ines = env.create_user("ines")
    guild = env.create_guild("Hall of Heroes", owner=ines)
    keeper = guild.create_role(
        "Keeper", permissions=discord.Permissions(manage_guild=True), color=discord.Colour.gold().value
    )
    return guild, {
        "Mara": guild.add_member(env.create_user("mara"), nick="Mara"),
        "Tom": guild.add_member(env.create_user("tom"), nick="Tom (keeper)", roles=[keeper]),
        "Ines": guild.add_member(ines, nick="Ines (owner)"),
    }


async def _add_heroes(bot: HeroBot, guild_id: int, players: dict[str, int], now: datetime) -> None:
    """Add `HEROES`, each on its own day, and the portrait of `SHOWN`."""
    for days, player, name, secret_name, age, description in HEROES:
        asker = Asker(players[player], guild_id, now - timedelta(days=days))
        async with bot.db.write() as session:
            hero = await add_hero(
                session,
                asker,
                bot.vault,
                name=name,
                secret_name=secret_name,
                age=age,
                description=description,
            )
        if name == SHOWN:
            image = await shrink(_portrait())
            async with bot.db.write() as session:
                await set_portrait(session, asker, hero.id, image)


def _portrait() -> bytes:
    """Draw somebody who smiles behind a mask; return a PNG."""
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
