import asyncio
import io
import itertools
import struct
import threading
import zipfile
import zlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image, PngImagePlugin
from simcord.backend.cdn import CdnStore
from sqlmodel import col, delete, func, select

from bot.db.engine import Database
from bot.db.models import Action, Hero, HistoryEntry, Portrait
from bot.images.portrait import PictureTooLargeError, UnreadablePictureError, shrink
from bot.roster.adding import add_hero, new_hero
from bot.roster.asker import Asker
from bot.roster.errors import HeroGoneError, NotYoursError, RosterError
from bot.roster.heroes import hero_by_id
from bot.roster.portraits import portrait_of, set_portrait
from bot.roster.removal import remove_hero
from bot.roster.vault import Vault
from tests.support.world import World, answer_of, assert_private, text_of

# Outside of the tests, what Pillow warns of is no error.
AS_IN_A_PROCESS = pytest.mark.filterwarnings("ignore::UserWarning")

# --- Pictures ---------------------------------------------------------------------------------------------

MARKER = b"Marker Secret"
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/">' + MARKER + b"</x:xmpmeta>"
RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 128, 0), (0, 0, 255), (255, 255, 255)
QUADRANTS = [RED, GREEN, BLUE, WHITE]


def quadrants(width: int = 80, height: int = 40) -> Image.Image:
    """Red and green above blue and white."""
    picture = Image.new("RGB", (width, height), RED)
    picture.paste(GREEN, (width // 2, 0, width, height // 2))
    picture.paste(BLUE, (0, height // 2, width // 2, height))
    picture.paste(WHITE, (width // 2, height // 2, width, height))
    return picture


def saved(picture: Image.Image, file_format: str, **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, file_format, **options)
    return file.getvalue()


async def shrunk(data: bytes) -> Image.Image:
    """What becomes of a picture: a WebP of at most 512 x 512 that holds nothing but pixels."""
    result = await shrink(data)
    with Image.open(io.BytesIO(result), formats=["WEBP"]) as picture:
        picture.load()
    assert 1 <= min(picture.size) <= max(picture.size) <= 512
    assert set(picture.info) <= {"loop", "background", "timestamp", "duration"}
    return picture.convert("RGBA")


def near(picture: Image.Image, where: tuple[int, int], colour: tuple[int, ...]) -> bool:
    """Whether a pixel has that colour, as far as a lossy format keeps it."""
    found = picture.getpixel(where)
    assert isinstance(found, tuple)
    return all(abs(a - b) <= 24 for a, b in zip(found, colour, strict=False))


def assert_quadrants(picture: Image.Image, colours: list[tuple[int, int, int]] = QUADRANTS) -> None:
    width, height = picture.size
    places = [(x * width // 4, y * height // 4) for y in (1, 3) for x in (1, 3)]
    for place, colour in zip(places, colours, strict=True):
        assert near(picture, place, colour), f"{picture.getpixel(place)} at {place}"


def chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def bare_png(width: int, height: int, pixels: bytes = b"") -> bytes:
    """A PNG in black and white that says how large it is, and is not held to that."""
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(pixels) if pixels else b""), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP", "GIF"])
@pytest.mark.parametrize("size", [(80, 40), (1200, 600), (600, 1201), (5000, 400)])
async def test_each_format_is_taken_and_fitted_but_never_enlarged(
    file_format: str, size: tuple[int, int]
) -> None:
    picture = await shrunk(saved(quadrants(*size), file_format))

    scale = min(1, 512 / max(size))
    assert picture.size == tuple(round(side * scale) for side in size)
    assert_quadrants(picture)


@pytest.mark.parametrize(
    ("size", "fitted"),
    [
        ((1, 1), (1, 1)),
        ((10_000, 1), (512, 1)),
        ((1, 10_000), (1, 512)),
        ((512, 512), (512, 512)),
        ((513, 512), (512, 511)),
    ],
)
async def test_no_side_is_lost_or_too_long(size: tuple[int, int], fitted: tuple[int, int]) -> None:
    picture = await shrunk(saved(Image.new("RGB", size, RED), "PNG"))

    assert picture.size == fitted
    assert near(picture, (0, 0), RED)
    assert near(picture, (fitted[0] - 1, fitted[1] - 1), RED)


@pytest.mark.parametrize("size", [(2300, 1700), (2101, 1063)])
async def test_a_large_picture_is_scaled_without_seams(size: tuple[int, int]) -> None:
    """Each column is as bright as it is far from the left, also where two parts were put together."""
    ramp = Image.linear_gradient("L").transpose(Image.Transpose.ROTATE_90).resize(size)

    picture = (await shrunk(saved(ramp, "PNG"))).convert("L")

    middle = picture.height // 2
    for x in range(picture.width):
        expected = ramp.getpixel((int((x + 0.5) * size[0] / picture.width), 0))
        found = picture.getpixel((x, middle))
        assert isinstance(found, int)
        assert isinstance(expected, int)
        assert abs(found - expected) <= 8, f"at {x}"


@pytest.mark.parametrize("file_format", ["GIF", "WEBP", "PNG"])
async def test_of_an_animation_the_first_frame_is_taken(file_format: str) -> None:
    others = [Image.new("RGB", (80, 40), colour) for colour in (BLUE, GREEN)]

    animation = saved(quadrants(), file_format, save_all=True, append_images=others, duration=100)

    assert_quadrants(await shrunk(animation))


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize(
    ("orientation", "stored"),
    [
        # What a camera stores when upright is red and green above blue and white: Exif 3.0, "Orientation".
        (1, [RED, GREEN, BLUE, WHITE]),
        (2, [GREEN, RED, WHITE, BLUE]),
        (3, [WHITE, BLUE, GREEN, RED]),
        (4, [BLUE, WHITE, RED, GREEN]),
        (5, [RED, BLUE, GREEN, WHITE]),
        (6, [GREEN, WHITE, RED, BLUE]),
        (7, [WHITE, GREEN, BLUE, RED]),
        (8, [BLUE, RED, WHITE, GREEN]),
    ],
)
async def test_a_picture_taken_sideways_stands_upright(
    file_format: str, orientation: int, stored: list[tuple[int, int, int]]
) -> None:
    size = (80, 40) if orientation < 5 else (40, 80)
    picture = Image.new("RGB", size)
    for index, colour in enumerate(stored):
        left, top = index % 2 * size[0] // 2, index // 2 * size[1] // 2
        picture.paste(colour, (left, top, left + size[0] // 2, top + size[1] // 2))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation

    upright = await shrunk(saved(picture, file_format, exif=exif))

    assert upright.size == (80, 40)
    assert_quadrants(upright)


@AS_IN_A_PROCESS
async def test_a_picture_with_broken_exif_is_shown_as_it_is() -> None:
    jpeg = saved(quadrants(), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\x7f broken")

    assert_quadrants(await shrunk(jpeg))


def with_metadata() -> dict[str, bytes]:
    exif = Image.Exif()
    exif[ExifTags.Base.ImageDescription] = MARKER.decode()
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", MARKER.decode())
    text.add_itxt("XML:com.adobe.xmp", XMP.decode())
    everything: dict[str, Any] = {"exif": exif, "icc_profile": MARKER, "xmp": XMP}
    return {
        "JPEG": saved(quadrants(), "JPEG", comment=MARKER, **everything),
        "PNG": saved(quadrants(), "PNG", pnginfo=text, exif=exif, icc_profile=MARKER),
        "WEBP": saved(quadrants(), "WEBP", **everything),
        "GIF": saved(quadrants(), "GIF", comment=MARKER),
        "JPEG with a video behind it": saved(quadrants(), "JPEG") + MARKER,
        "PNG that is a zip, too": saved(quadrants(), "PNG") + zipped(),
    }


def zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("marker.txt", MARKER)
    return file.getvalue()


@pytest.mark.parametrize("data", with_metadata().values(), ids=list(with_metadata()))
async def test_nothing_but_the_pixels_remains(data: bytes) -> None:
    assert MARKER in data

    result = await shrink(data)

    assert MARKER not in result
    assert b"PK" not in result
    assert result[12:16] == b"VP8 ", "no extended format: there is nothing but one chunk of pixels"
    assert len(result) - 20 - struct.unpack("<I", result[16:20])[0] in {0, 1}


async def test_what_was_hidden_behind_transparency_is_gone() -> None:
    hidden = quadrants()
    hidden.putalpha(0)

    picture = await shrunk(saved(hidden, "PNG"))

    assert picture.getchannel("A").getextrema() == (0, 0)
    assert not near(picture, (60, 30), WHITE)


def see_through(picture: Image.Image) -> Image.Image:
    """With its left half opaque and its right half gone."""
    alpha = Image.new("L", picture.size, 255)
    alpha.paste(0, (picture.width // 2, 0, *picture.size))
    picture = picture.convert("RGBA")
    picture.putalpha(alpha)
    return picture


def with_transparent_grey(mode: str, opaque: int, clear: int) -> bytes:
    """A PNG that names a grey which is to be transparent; its right half has that."""
    picture = Image.new(mode, (80, 40), opaque)
    for x, y in itertools.product(range(40, 80), range(40)):
        picture.putpixel((x, y), clear)
    return saved(picture, "PNG", transparency=clear)


@pytest.mark.parametrize(
    ("data", "colour"),
    [
        (saved(see_through(Image.new("RGB", (80, 40), RED)), "PNG"), RED),
        (saved(see_through(Image.new("RGB", (80, 40), RED)), "WEBP", lossless=True), RED),
        (saved(see_through(Image.new("RGB", (80, 40), RED)), "GIF"), RED),
        (saved(see_through(Image.new("RGB", (80, 40), RED)).quantize(4), "PNG"), RED),
        (saved(see_through(Image.new("RGB", (1600, 800), RED)).quantize(4), "PNG"), RED),
        (saved(see_through(Image.new("RGB", (80, 40), WHITE)).convert("LA"), "PNG"), WHITE),
        (with_transparent_grey("L", 200, 5), (200, 200, 200)),
        (with_transparent_grey("I;16", 0xC801, 0x0500), (200, 200, 200)),
        (with_transparent_grey("1", 1, 0), WHITE),
    ],
    ids=["RGBA", "WebP", "GIF", "palette", "large palette", "grey", "grey key", "16-bit key", "bit key"],
)
async def test_transparency_is_kept_without_a_fringe(data: bytes, colour: tuple[int, int, int]) -> None:
    picture = await shrunk(data)

    width, height = picture.size
    assert near(picture, (width // 4, height // 2), (*colour, 255))
    alpha = picture.getchannel("A").getpixel((width * 3 // 4, height // 2))
    assert alpha == 0


@pytest.mark.parametrize(
    ("data", "colour"),
    [
        (saved(Image.new("CMYK", (40, 40), (0, 255, 255, 0)), "JPEG"), RED),
        (saved(Image.new("L", (40, 40), 200), "JPEG"), (200, 200, 200)),
        (saved(Image.new("RGB", (2000, 900), RED), "JPEG", progressive=True), RED),
        (saved(Image.new("I;16", (40, 40), 0x8000), "PNG"), (128, 128, 128)),
        (saved(Image.new("1", (40, 40), 1), "PNG"), WHITE),
        (saved(Image.new("RGB", (40, 40), RED).quantize(2), "PNG"), RED),
        (saved(Image.new("RGB", (40, 40), RED).quantize(2), "GIF"), RED),
    ],
    ids=["CMYK", "grey JPEG", "progressive", "16 bits", "1 bit", "palette", "palette GIF"],
)
async def test_colours_are_kept_in_every_mode(data: bytes, colour: tuple[int, int, int]) -> None:
    picture = await shrunk(data)

    assert near(picture, (picture.width // 2, picture.height // 2), (*colour, 255))


def patched(data: bytes, at: int, replacement: bytes) -> bytes:
    return data[:at] + replacement + data[at + len(replacement) :]


def bombs() -> dict[str, bytes]:
    """Small files that claim to be huge."""
    jpeg = saved(quadrants(), "JPEG")
    webp = saved(quadrants(), "WEBP", lossless=True)
    return {
        "one row too many": bare_png(8_000, 5_001),
        "more than Pillow warns of": bare_png(10_000, 10_000),
        "more than Pillow takes": bare_png(20_000, 20_000),
        "as many as a PNG can say": bare_png(0x7FFFFFFF, 0x7FFFFFFF),
        "a long line": bare_png(0x7FFFFFFF, 1),
        "JPEG": patched(jpeg, jpeg.index(b"\xff\xc0") + 5, b"\xff\xff\xff\xff"),
        "GIF": patched(saved(quadrants(), "GIF"), 6, b"\xff\xff\xff\xff"),
        "WebP": patched(webp, 21, b"\xff\xff\xff\x0f"),
        "many zeros": bare_png(9_000, 9_000, bytes(9_000 * (1 + 9_000 // 8))),
    }


@pytest.mark.parametrize("data", bombs().values(), ids=list(bombs()))
async def test_too_many_pixels_are_refused_by_the_header(data: bytes) -> None:
    with pytest.raises(PictureTooLargeError, match=r"at most 40 megapixels. Please send"):
        await shrink(data)


async def test_40_megapixels_are_not_too_many() -> None:
    with pytest.raises(UnreadablePictureError):
        await shrink(bare_png(8_000, 5_000))


async def test_more_than_8_mib_are_refused() -> None:
    picture = saved(quadrants(), "JPEG")

    assert_quadrants(await shrunk(picture.ljust(8 * 1024 * 1024, b"\0")))
    with pytest.raises(PictureTooLargeError, match=r"at most 8 MiB. Please send"):
        await shrink(picture.ljust(8 * 1024 * 1024 + 1, b"\0"))


async def test_a_jpeg_that_asks_for_endless_passes_is_refused() -> None:
    jpeg = saved(quadrants(), "JPEG", progressive=True)
    scan = jpeg[jpeg.rindex(b"\xff\xda") : -2]

    with pytest.raises(UnreadablePictureError):
        await shrink(jpeg[:-2] + scan * 1_000 + jpeg[-2:])


def broken() -> dict[str, bytes]:
    whole = {name: saved(quadrants(600, 300), name) for name in ("PNG", "JPEG", "WEBP", "GIF")}
    return {
        "nothing": b"",
        "text": b"Dear bot, this is no picture.",
        "SVG": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"></svg>',
        "zip": zipped(),
        "PDF": b"%PDF-1.7\n" + whole["JPEG"],
        "GIF and JavaScript": b"GIF89a/*" + bytes(20) + b"*/=alert(1);",
        "BMP": saved(quadrants(), "BMP"),
        "TIFF": saved(quadrants(), "TIFF"),
        "no width": bare_png(0, 40),
        "no size": bare_png(0, 0),
        "no pixels": bare_png(80, 40),
        "too much text": whole["PNG"][:33]
        + chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(8 * 1024 * 1024)))
        + whole["PNG"][33:],
        "a damaged chunk": patched(whole["PNG"], 60, b"\0\0\0\0"),
        **{f"half a {name}": data[: len(data) // 2] for name, data in whole.items()},
        **{f"the start of a {name}": data[:16] for name, data in whole.items()},
    }


@pytest.mark.parametrize("data", broken().values(), ids=list(broken()))
async def test_anything_else_gets_a_plain_sentence(data: bytes) -> None:
    with pytest.raises(UnreadablePictureError) as refusal:
        await shrink(data)

    assert refusal.value.sentence == (
        "This is not a picture that I can read. Please send a PNG, JPEG, WebP or GIF."
    )


STARTS = [
    b"",
    b"\x89PNG\r\n\x1a\n",
    bare_png(5, 5)[:33],
    b"\xff\xd8\xff",
    b"GIF89a",
    b"RIFF\xff\0\0\0WEBPVP8X",
]


async def assert_a_picture_or_a_sentence(data: bytes) -> None:
    try:
        await shrunk(data)
    except RosterError as error:
        assert "Please" in error.sentence


@AS_IN_A_PROCESS
@given(st.sampled_from(STARTS), st.binary(max_size=200))
@settings(deadline=None)
async def test_random_bytes_make_a_picture_or_a_sentence(start: bytes, rest: bytes) -> None:
    await assert_a_picture_or_a_sentence(start + rest)


@AS_IN_A_PROCESS
@given(
    st.sampled_from(list(with_metadata().values())),
    st.lists(st.tuples(st.integers(0, 700), st.binary(min_size=1, max_size=4)), min_size=1, max_size=5),
    st.integers(0, 2_000),
)
@settings(deadline=None)
async def test_a_damaged_picture_makes_a_picture_or_a_sentence(
    data: bytes, damages: list[tuple[int, bytes]], length: int
) -> None:
    for at, damage in damages:
        data = patched(data, at, damage)
    await assert_a_picture_or_a_sentence(data[:length] if length else data)


async def test_others_go_on_while_one_thread_makes_pictures_small() -> None:
    data = saved(quadrants(1_200, 1_200), "PNG")

    work = asyncio.gather(*(shrink(data) for _ in range(3)))
    turns = 0
    while not work.done():
        await asyncio.sleep(0)
        turns += 1

    assert turns > 10
    assert len(set(await work)) == 1
    assert len([thread for thread in threading.enumerate() if thread.name.startswith("picture")]) == 1


# --- In the roster ----------------------------------------------------------------------------------------

GUILD, OTHER_GUILD = 7, 8
OWNER, KEEPER, STRANGER = Asker(1), Asker(2, keeper=True), Asker(3)
NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


async def added(db: Database, name: str = "Deadpond") -> Hero:
    async with db.write() as session:
        return await add_hero(
            session,
            new_hero(
                guild_id=GUILD,
                owner_id=OWNER.id,
                vault=Vault(),
                name=name,
                secret_name="Dive Wilson",
                now=NOON,
            ),
            OWNER.quota,
        )


async def give(
    db: Database,
    hero: Hero,
    image: bytes | None,
    asker: Asker = OWNER,
    *,
    guild_id: int = GUILD,
    after: timedelta = timedelta(hours=1),
) -> Hero:
    async with db.write() as session:
        return await set_portrait(
            session, guild_id=guild_id, hero_id=hero.id, image=image, asker=asker, now=NOON + after
        )


async def kept(db: Database, hero: Hero) -> tuple[Hero, bytes | None]:
    """The hero as the database has it, and its portrait."""
    async with db.read() as session:
        now = await hero_by_id(session, guild_id=GUILD, hero_id=hero.id)
        return now, await portrait_of(session, now)


async def portraits(db: Database) -> int:
    async with db.read() as session:
        return (await session.exec(select(func.count()).select_from(Portrait))).one()


async def history(db: Database) -> list[tuple[Action, int | None, dict[str, list[Any]]]]:
    async with db.read() as session:
        entries = (await session.exec(select(HistoryEntry).order_by(col(HistoryEntry.id)))).all()
    return [
        (entry.action, entry.actor_id, entry.changes) for entry in entries if entry.action != Action.ADDED
    ]


async def test_a_hero_has_no_portrait_and_none_is_looked_for(db: Database) -> None:
    hero = await added(db)

    async with db.read() as session:
        assert await portrait_of(session, hero) is None
        assert not session.in_transaction(), "nothing was asked of the database"


@pytest.mark.parametrize("asker", [OWNER, KEEPER], ids=["owner", "keeper"])
async def test_owner_and_keepers_give_a_portrait(db: Database, asker: Asker) -> None:
    hero, other = await added(db), await added(db, "Rusty-Man")

    given_to = await give(db, hero, b"picture", asker)

    stored, image = await kept(db, hero)
    assert image == b"picture"
    for seen in (given_to, stored):
        assert (seen.has_portrait, seen.version, seen.updated_at) == (True, 2, NOON + timedelta(hours=1))
    assert (await kept(db, other))[1] is None
    assert await history(db) == [(Action.PORTRAYED, asker.id, {"has_portrait": [False, True]})]


async def test_a_stranger_gives_and_takes_none(db: Database) -> None:
    hero = await added(db)
    await give(db, hero, b"picture")

    for image in (b"another", None):
        with pytest.raises(NotYoursError):
            await give(db, hero, image, STRANGER)

    stored, image = await kept(db, hero)
    assert (image, stored.version) == (b"picture", 2)
    assert len(await history(db)) == 1


async def test_a_portrait_is_replaced(db: Database) -> None:
    hero, other = await added(db), await added(db, "Rusty-Man")
    await give(db, hero, b"picture")
    await give(db, other, b"of another")

    await give(db, hero, b"another", KEEPER, after=timedelta(hours=2))

    stored, image = await kept(db, hero)
    assert image == b"another"
    assert (stored.has_portrait, stored.version, stored.updated_at) == (True, 3, NOON + timedelta(hours=2))
    assert (await kept(db, other))[1] == b"of another"
    assert await portraits(db) == 2
    assert (await history(db))[-1:] == [(Action.PORTRAYED, KEEPER.id, {"has_portrait": [True, True]})]


async def test_a_portrait_is_taken_away(db: Database) -> None:
    hero, other = await added(db), await added(db, "Rusty-Man")
    await give(db, hero, b"picture")
    await give(db, other, b"of another")

    await give(db, hero, None, after=timedelta(hours=2))

    stored, image = await kept(db, hero)
    assert image is None
    assert (stored.has_portrait, stored.version, stored.updated_at) == (False, 3, NOON + timedelta(hours=2))
    assert (await kept(db, other))[1] == b"of another"
    assert await portraits(db) == 1
    assert (await history(db))[-1:] == [(Action.PORTRAYED, OWNER.id, {"has_portrait": [True, False]})]


async def test_where_there_is_none_nothing_is_taken_away(db: Database) -> None:
    hero = await added(db)

    unchanged = await give(db, hero, None)

    assert (unchanged.version, unchanged.updated_at) == (1, NOON)
    assert (await kept(db, hero))[0].version == 1
    assert await history(db) == []


async def test_another_guild_neither_gives_takes_nor_sees_it(db: Database) -> None:
    hero = await added(db)
    await give(db, hero, b"picture")

    for image in (b"another", None):
        with pytest.raises(HeroGoneError):
            await give(db, hero, image, KEEPER, guild_id=OTHER_GUILD)
    foreign = hero.model_copy(update={"guild_id": OTHER_GUILD, "has_portrait": True})
    async with db.read() as session:
        assert await portrait_of(session, foreign) is None

    assert (await kept(db, hero))[1] == b"picture"


async def test_a_removed_hero_keeps_its_portrait_and_gets_no_other(db: Database) -> None:
    hero = await added(db)
    await give(db, hero, b"picture")
    async with db.write() as session:
        await remove_hero(session, guild_id=GUILD, hero_id=hero.id, asker=OWNER, now=NOON)

    for image in (b"another", None):
        with pytest.raises(HeroGoneError):
            await give(db, hero, image)

    async with db.read() as session:
        assert (await session.exec(select(Portrait.image))).one() == b"picture"


async def test_all_of_it_is_stored_or_nothing(db: Database) -> None:
    hero = await added(db)

    async def fail() -> None:
        async with db.write() as session:
            await set_portrait(
                session, guild_id=GUILD, hero_id=hero.id, image=b"picture", asker=OWNER, now=NOON
            )
            await session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()

    stored, image = await kept(db, hero)
    assert (stored.has_portrait, stored.version, image) == (False, 1, None)
    assert await portraits(db) == 0
    assert await history(db) == []


async def test_of_several_at_once_the_last_one_stays(db: Database) -> None:
    hero = await added(db)
    images = [b"%d" % number for number in range(5)]

    await asyncio.gather(*(give(db, hero, image) for image in images))

    stored, image = await kept(db, hero)
    assert image in images
    assert stored.version == 6
    assert await portraits(db) == 1
    changes = [entry[2]["has_portrait"] for entry in await history(db)]
    assert changes == [[False, True], *[[True, True]] * 4]


async def test_a_deleted_hero_takes_its_portrait_along(db: Database) -> None:
    hero, other = await added(db), await added(db, "Rusty-Man")
    await give(db, hero, b"picture")
    await give(db, other, b"another")

    async with db.write() as session:
        await session.exec(delete(Hero).where(col(Hero.id) == hero.id))

    assert await portraits(db) == 1
    assert (await kept(db, other))[1] == b"another"


# --- On Discord -------------------------------------------------------------------------------------------


class Forgetful(CdnStore):
    """A Discord that has lost what was uploaded."""

    def get(self, url: str) -> None:
        return None


class Lying(CdnStore):
    """A Discord that says of each upload that it is one byte long."""

    def store_attachment(self, *args: Any, **options: Any) -> dict[str, Any]:
        return super().store_attachment(*args, **options) | {"size": 1}


@pytest.fixture
async def deadpond(world: World) -> None:
    await world.add(world.alice, "Deadpond")


async def portrait_in(world: World) -> bytes | None:
    async with world.bot.db.read() as session:
        return (await session.exec(select(Portrait.image))).one_or_none()


UPLOAD = ("deadpond.txt", saved(quadrants(), "PNG"))


@pytest.mark.usefixtures("deadpond")
async def test_owner_and_keeper_portray_a_hero_and_the_card_shows_it(world: World) -> None:
    for member in (world.alice, world.keeper):
        shown = await member.slash(world.channel, "hero portrait", name=" deadPOND ", image=UPLOAD)
        assert_private(shown)
        assert [file.filename for file in answer_of(shown).attachments] == ["portrait.webp"]
        assert "attachment" in str(answer_of(shown).components)
        assert await portrait_in(world) == await shrink(UPLOAD[1])
        found = await world.bob.slash(world.channel, "hero find", name="Deadpond")
        assert text_of(found).startswith("## Deadpond")
        assert [file.filename for file in answer_of(found).attachments] == ["portrait.webp"]

        taken = await member.slash(world.channel, "hero portrait", name="Deadpond")
        assert answer_of(taken).attachments == []
        assert await portrait_in(world) is None


@pytest.mark.usefixtures("deadpond")
async def test_a_removed_heros_card_leaves_its_portrait_behind(world: World) -> None:
    await world.alice.slash(world.channel, "hero portrait", name="Deadpond", image=UPLOAD)
    asked = await world.alice.slash(world.channel, "hero remove", name="Deadpond")
    await world.alice.click(answer_of(asked), label="Remove")

    undone = await world.alice.click(answer_of(asked), label="Undo")

    assert [file.filename for file in answer_of(undone).attachments] == ["portrait.webp"]


@pytest.mark.usefixtures("deadpond")
async def test_nothing_is_fetched_for_a_stranger_or_an_unknown_hero(world: World) -> None:
    world.env.backend.cdn = Forgetful()

    stranger = await world.bob.slash(world.channel, "hero portrait", name="Deadpond", image=UPLOAD)
    unknown = await world.alice.slash(world.channel, "hero portrait", name="Nobody", image=UPLOAD)

    assert_private(stranger)
    assert text_of(stranger).startswith("Only <@")
    assert text_of(unknown).startswith("No hero here is called")
    assert await portrait_in(world) is None


@pytest.mark.usefixtures("deadpond")
async def test_a_picture_that_discord_lost_is_asked_for_again(world: World) -> None:
    world.env.backend.cdn = Forgetful()

    refused = await world.alice.slash(world.channel, "hero portrait", name="Deadpond", image=UPLOAD)

    assert text_of(refused) == "Discord did not give me that picture. Please send it again."
    assert await portrait_in(world) is None


@pytest.mark.usefixtures("deadpond")
@pytest.mark.parametrize("cdn", [Forgetful, Lying], ids=["by what Discord says", "by what came"])
async def test_a_large_file_is_refused(world: World, cdn: type[CdnStore]) -> None:
    world.env.backend.cdn = cdn()
    large = ("deadpond.png", UPLOAD[1].ljust(8 * 1024 * 1024 + 1, b"\0"))

    refused = await world.alice.slash(world.channel, "hero portrait", name="Deadpond", image=large)

    assert "at most 8 MiB" in text_of(refused)
    assert await portrait_in(world) is None


@pytest.mark.usefixtures("deadpond")
async def test_what_is_no_picture_leaves_the_portrait_as_it_was(world: World) -> None:
    await world.alice.slash(world.channel, "hero portrait", name="Deadpond", image=UPLOAD)

    refused = await world.alice.slash(
        world.channel, "hero portrait", name="Deadpond", image=("deadpond.png", b"text")
    )

    assert "not a picture that I can read" in text_of(refused)
    assert await portrait_in(world) == await shrink(UPLOAD[1])
