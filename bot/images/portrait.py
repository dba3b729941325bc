"""Pictures that members upload: checked, made small, and freed of all but what one sees."""

import asyncio
import itertools
import math
import warnings
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Final

from PIL import ExifTags, Image

from bot.roster.errors import Refusal, RosterError

MOST_BYTES: Final = 8 * 1024 * 1024
"""How large an uploaded file may be."""
MOST_PIXELS: Final = 40_000_000
"""How many pixels it may show. Pillow takes 4 bytes for each."""
SIDE_MOST: Final = 512
"""Pixels on the longer side of what becomes of it."""

_FORMATS: Final = ("PNG", "JPEG", "WEBP", "GIF")
_SCAN: Final = b"\xff\xda"
_SCANS_MOST: Final = 500
"""A JPEG of 8 MiB can ask for a hundred thousand passes over all its pixels; honest ones take about ten.
The rest is for bytes that look like the start of one, as in the video behind a phone's "motion photo"."""
_TILE: Final = 1_000
"""Pixels on each side, about, of what is scaled down at a time."""
_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What undoes each orientation, as Exif 3.0 numbers them; 1 is upright."""

_one_at_a_time: Final = ThreadPoolExecutor(max_workers=1, thread_name_prefix="picture")
"""A decoded picture is large, so there is never more than one. The thread starts with the first."""

# Pillow only warns of up to twice as many pixels as it thinks wise.
warnings.simplefilter("error", Image.DecompressionBombWarning)
# What is wrong with the EXIF of somebody's picture is not for the log.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")


class UnreadablePictureError(RosterError):
    """A file is no whole picture in a format that is taken."""

    def __init__(self) -> None:
        super().__init__(Refusal.UNREADABLE_PICTURE)


class PictureTooLargeError(RosterError):
    """A picture has too many bytes or pixels."""


def check_size(size: int) -> None:
    """Let pass a file of up to 8 MiB.

    Args:
        size: in bytes.

    Raises:
        PictureTooLargeError: it is larger.
    """
    if size > MOST_BYTES:
        raise PictureTooLargeError(Refusal.TOO_MANY_MEBIBYTES, most=8)


async def shrink(data: bytes) -> bytes:
    """Make a picture that is fit to be stored and shown of what a member uploaded.

    It fits into a square of 512 x 512 pixels, keeps its proportions and transparency, stands upright, and is
    never enlarged. Of an animation the first frame is taken. Nothing else of the file remains: no EXIF,
    XMP, colour profile, comment, or what was hidden behind the picture. A thread of its own does the
    work, one picture after the other.

    Args:
        data: a PNG, JPEG, WebP or GIF, whatever its name was, of up to 8 MiB and 40 megapixels.

    Returns:
        A WebP of some ten thousand bytes, with 1-512 pixels on each side.

    Raises:
        PictureTooLargeError: it has too many bytes or pixels; told before any pixel is decoded.
        UnreadablePictureError: it is something else, broken or cut off.
    """
    check_size(len(data))
    return await asyncio.get_running_loop().run_in_executor(_one_at_a_time, _shrink, data)


def _shrink(data: bytes) -> bytes:
    picture = _decode(data)
    small = _scale_down(picture)
    turn = _TURNS.get(_orientation(picture))
    if turn is not None:
        small = small.transpose(turn)
    shrunk = BytesIO()
    small.save(shrunk, "WEBP")
    return shrunk.getvalue()


def _decode(data: bytes) -> Image.Image:
    """The picture as it is in the file; of a JPEG maybe at a fraction of its size."""
    try:
        return _open(data)
    except (RosterError, MemoryError):
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_many_pixels() from None
    except Exception as error:  # Pillow does not say what a broken file can make it raise
        raise UnreadablePictureError from error


def _open(data: bytes) -> Image.Image:
    picture = Image.open(BytesIO(data), formats=_FORMATS)
    width, height = picture.size
    if width * height > MOST_PIXELS:
        raise _too_many_pixels()
    if picture.format in {"JPEG", "MPO"} and data.count(_SCAN) > _SCANS_MOST:
        raise UnreadablePictureError
    # A JPEG can be decoded at a fraction of its size; on others this has no effect.
    picture.draft(None, (2 * SIDE_MOST, 2 * SIDE_MOST))
    picture.load()
    return picture


def _too_many_pixels() -> PictureTooLargeError:
    return PictureTooLargeError(Refusal.TOO_MANY_MEGAPIXELS, most=40)


def _scale_down(picture: Image.Image) -> Image.Image:
    """The picture in RGBA, at most `SIDE_MOST` pixels wide and high."""
    width, height = picture.size
    scale = min(1, SIDE_MOST / max(width, height))
    target = max(1, round(width * scale)), max(1, round(height * scale))
    # Averaged to about twice the target, then resampled. Tile by tile, since Pillow would copy the whole
    # picture to bring it into another mode, and again to weigh its colours by their opacity.
    across, down = max(1, width // (2 * target[0])), max(1, height // (2 * target[1]))
    averaged = Image.new("RGBA", (math.ceil(width / across), math.ceil(height / down)))
    wide, high = across * math.ceil(_TILE / across), down * math.ceil(_TILE / down)
    for left, top in itertools.product(range(0, width, wide), range(0, height, high)):
        tile = picture.crop((left, top, min(left + wide, width), min(top + high, height)))
        averaged.paste(_rgba(tile).reduce((across, down)), (left // across, top // down))
    return averaged.resize(target, Image.Resampling.LANCZOS)


def _rgba(picture: Image.Image) -> Image.Image:
    if picture.mode == "I;16":
        # Pillow would cut 16 bits off at white, and go by half of the grey that is to be transparent.
        picture = picture.point(lambda grey: grey / 256)
        if "transparency" in picture.info:
            picture.info["transparency"] //= 256
    return picture.convert("RGBA")


def _orientation(picture: Image.Image) -> int:
    try:
        return picture.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # noqa: BLE001 - a whole picture with broken EXIF is shown as it is
        return 1
