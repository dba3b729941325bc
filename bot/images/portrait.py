"""Members' portraits: an upload is checked, scaled down and stripped of everything but its visible pixels."""

import asyncio
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from io import BytesIO
from typing import TYPE_CHECKING, Final

from bot.roster.errors import Refusal, RosterError

if TYPE_CHECKING:
    from PIL import Image

MAX_BYTES: Final = 8 * 1024 * 1024
"""Size of an uploaded file."""
MAX_PIXELS: Final = 40_000_000
"""Width times height of an uploaded picture. Pillow needs up to 4 bytes for each pixel, twice that while it
scales a transparent picture down, and four times that while it decodes a WebP."""
MAX_SIDE_PX: Final = 512
"""Longer side of a portrait."""

_FORMATS: Final = ("PNG", "JPEG", "WEBP", "GIF")
_SCAN_MARKER: Final = b"\xff\xda"
"""Start of a JPEG's scan: https://www.w3.org/Graphics/JPEG/itu-t81.pdf, table B.1."""
_MAX_SCANS: Final = 500
"""A JPEG of 8 MiB can ask for a hundred thousand scans, each over all its pixels. An honest JPEG has about
ten; the rest allows for bytes that only look like a marker, as in the video behind a "motion photo"."""
_REDUCING_GAP: Final = 2.0
"""Pillow averages a picture to at least twice the final size before it resamples: fast and close to exact.
https://pillow.readthedocs.io/en/stable/reference/Image.html#PIL.Image.Image.thumbnail"""

_executor: Final = ThreadPoolExecutor(max_workers=1, thread_name_prefix="picture")
"""A decoded picture is large, so one thread decodes one at a time. The first upload starts the thread."""

# Pillow quotes a picture's EXIF in its warnings, and these would reach the log. `_check` refuses the number
# of pixels that Pillow only warns of.
warnings.filterwarnings("ignore", module=r"PIL\.")


class UnreadablePictureError(RosterError):
    """A file is not a complete picture in an accepted format."""

    def __init__(self) -> None:
        super().__init__(Refusal.UNREADABLE_PICTURE)


class PictureTooLargeError(RosterError):
    """A picture has too many bytes or pixels."""


def check_size(size: int) -> None:
    """Raise an error if a file is larger than 8 MiB.

    Args:
        size: in bytes.

    Raises:
        PictureTooLargeError: the file is larger.
    """
    if size > MAX_BYTES:
        raise PictureTooLargeError(Refusal.TOO_MANY_MEBIBYTES, most=MAX_BYTES // 1024**2)


async def shrink(data: bytes) -> bytes:
    """Convert a member's upload into a portrait that is fit to be stored and shown.

    The portrait fits into a square of 512 x 512 pixels, keeps proportions and transparency, is upright, and
    is never enlarged. It shows the first frame of an animation. Nothing else of the file remains: no EXIF,
    XMP, colour profile, comment, or data behind the picture. Uploads are handled one after the other, off
    the event loop.

    Args:
        data: a PNG, JPEG, WebP or GIF, whatever its file name, of up to 8 MiB and 40 megapixels.

    Returns:
        A WebP of about ten thousand bytes, with 1-512 pixels on each side.

    Raises:
        PictureTooLargeError: it has too many bytes or pixels; known before any pixel is decoded.
        UnreadablePictureError: it has another format, is broken or is cut off.
    """
    check_size(len(data))
    return await asyncio.get_running_loop().run_in_executor(_executor, _shrink, data)


def _shrink(data: bytes) -> bytes:
    # Only uploads need Pillow: an idle bot saves 2 MB, and this thread has the 15 ms of its import.
    from PIL import Image, ImageOps  # noqa: PLC0415

    picture = _scalable(_decode(data))
    picture.thumbnail((MAX_SIDE_PX, MAX_SIDE_PX), Image.Resampling.LANCZOS, _REDUCING_GAP)
    # A picture with broken EXIF is shown as it is. In place, since Pillow then transposes before it writes an
    # EXIF without the orientation, and only the writing may fail.
    with suppress(Exception):
        ImageOps.exif_transpose(picture, in_place=True)
    picture.info.clear()
    portrait = BytesIO()
    picture.save(portrait, "WEBP")
    return portrait.getvalue()


def _decode(data: bytes) -> "Image.Image":
    """Return the picture of a file; a large JPEG at a fraction of its size."""
    from PIL import Image  # noqa: PLC0415

    try:
        picture = Image.open(BytesIO(data), formats=_FORMATS)
        _check(picture, data)
        # Only a JPEG can be decoded at a fraction of its size; other formats ignore this.
        side_px = int(_REDUCING_GAP * MAX_SIDE_PX)
        picture.draft(None, (side_px, side_px))
        picture.load()
    except (RosterError, MemoryError):
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_many_pixels() from None
    except Exception as error:  # Pillow does not document the errors that a broken file causes
        raise UnreadablePictureError from error
    return picture


def _check(picture: "Image.Image", data: bytes) -> None:
    """Raise an error if the pixels would take too much memory or time to decode."""
    if picture.width * picture.height > MAX_PIXELS:
        raise _too_many_pixels()
    if picture.format in {"JPEG", "MPO"} and data.count(_SCAN_MARKER) > _MAX_SCANS:
        raise UnreadablePictureError


def _too_many_pixels() -> PictureTooLargeError:
    return PictureTooLargeError(Refusal.TOO_MANY_MEGAPIXELS, most=MAX_PIXELS // 1_000_000)


def _scalable(picture: "Image.Image") -> "Image.Image":
    """Return the picture in a mode in which Pillow averages pixels and weighs colours by their opacity."""
    if picture.mode == "I;16":
        # Pillow clips 16-bit greys at 255, and compares only the lower half of the transparent grey.
        picture = picture.point(lambda grey: grey / 256)
        if "transparency" in picture.info:
            picture.info["transparency"] //= 256
    if picture.has_transparency_data:
        return picture if picture.mode == "RGBA" else picture.convert("RGBA")
    return picture if picture.mode in {"L", "RGB", "CMYK"} else picture.convert("RGB")
