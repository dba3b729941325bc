"""Files that are refused: too large, broken, or no picture."""

import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.images.portrait import PictureTooLargeError, UnreadablePictureError, shrink
from bot.interactions.sentences import sentence_of
from bot.roster.errors import RosterError
from tests.support.pictures import (
    assert_quadrants,
    bare_png,
    chunk,
    patched,
    quadrants,
    saved,
    shrunk,
    with_metadata,
    zipped,
)

# Outside of the tests, what Pillow warns of is no error.
AS_IN_A_PROCESS = pytest.mark.filterwarnings("ignore::UserWarning")


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
    with pytest.raises(PictureTooLargeError) as refusal:
        await shrink(data)

    assert "at most 40 megapixels. Please send" in sentence_of(refusal.value)


async def test_40_megapixels_are_not_too_many() -> None:
    with pytest.raises(UnreadablePictureError):
        await shrink(bare_png(8_000, 5_000))


async def test_more_than_8_mib_are_refused() -> None:
    picture = saved(quadrants(), "JPEG")

    assert_quadrants(await shrunk(picture.ljust(8 * 1024 * 1024, b"\0")))
    with pytest.raises(PictureTooLargeError) as refusal:
        await shrink(picture.ljust(8 * 1024 * 1024 + 1, b"\0"))

    assert "at most 8 MiB. Please send" in sentence_of(refusal.value)


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

    assert sentence_of(refusal.value) == (
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
        assert "Please" in sentence_of(error)


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
