"""Pictures as members upload them, and a look at what became of them."""

import io
import struct
import zipfile
import zlib
from typing import Any

from PIL import ExifTags, Image, PngImagePlugin

from bot.images.portrait import shrink

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


def patched(data: bytes, at: int, replacement: bytes) -> bytes:
    return data[:at] + replacement + data[at + len(replacement) :]
