"""Pictures that are taken, and what becomes of them."""

import asyncio
import itertools
import struct
import threading

import pytest
from PIL import ExifTags, Image

from bot.images.portrait import shrink
from tests.support.pictures import (
    BLUE,
    GREEN,
    MARKER,
    RED,
    WHITE,
    assert_quadrants,
    near,
    quadrants,
    saved,
    shrunk,
    with_metadata,
)

# Outside of the tests, what Pillow warns of is no error.
AS_IN_A_PROCESS = pytest.mark.filterwarnings("ignore::UserWarning")


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
