"""Copies of pictures: small, upright, without metadata; what would fill the memory is refused by its head."""

import io
import struct
import subprocess
import sys
import zlib

import pytest
from PIL import Image

from digest.articles.thumbnails import shrink
from digest.errors import InputError


def picture(kind: str, size: tuple[int, int] = (200, 100), mode: str = "RGB", **options: object) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, 120 if mode in ("L", "P") else None).save(out, kind, **options)
    return out.getvalue()


@pytest.mark.parametrize(
    ("kind", "mode"),
    [("JPEG", "RGB"), ("JPEG", "CMYK"), ("JPEG", "L"), ("PNG", "RGBA"), ("PNG", "P"), ("PNG", "LA"),
     ("GIF", "P"), ("WEBP", "RGBA"), ("PNG", "I;16")],
)  # fmt: skip
def test_each_kind_becomes_a_jpeg_of_its_size(kind: str, mode: str) -> None:
    copy = shrink(picture(kind, mode=mode))

    with Image.open(io.BytesIO(copy.content)) as drawn:
        assert (drawn.format, drawn.mode, drawn.size) == ("JPEG", "RGB", (200, 100))
    assert (copy.width, copy.height) == (200, 100)


def test_a_large_one_is_made_smaller_and_keeps_its_shape() -> None:
    copy = shrink(picture("JPEG", (4_000, 2_000)))
    assert (copy.width, copy.height) == (1_072, 536)


def test_what_is_clear_is_drawn_on_white() -> None:
    copy = shrink(picture("PNG", mode="RGBA"))
    with Image.open(io.BytesIO(copy.content)) as drawn:
        assert drawn.getpixel((5, 5)) == (255, 255, 255)


def test_it_stands_upright_and_tells_nothing_of_who_took_it_where() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    exif[0x013B] = "A photographer's name"
    copy = shrink(picture("JPEG", exif=exif.tobytes(), comment=b"a secret"))

    assert (copy.width, copy.height) == (100, 200)
    assert b"photographer" not in copy.content
    assert b"secret" not in copy.content
    with Image.open(io.BytesIO(copy.content)) as drawn:
        assert not drawn.getexif()
        assert set(drawn.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density", "progressive",
                                   "progression", "dpi"}  # fmt: skip


def bomb(width: int, height: int) -> bytes:
    """Make a PNG of a few bytes that says it has so many pixels."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(
        b"IEND", b""
    )  # fmt: skip


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "not a picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "not a picture"),
        (b"GIF89a", "not a picture|damaged"),
        (picture("JPEG")[:300], "damaged|no picture"),
        (picture("BMP"), "not a picture"),
        (picture("PNG", (1, 1)), "shows nothing"),
        (picture("GIF", (600, 1), "P"), "shows nothing"),
        (bomb(30_000, 30_000), "pixels|not a picture"),
        (bomb(6_000, 6_000), "at most"),
        (bomb(2_000_000_000, 2), "pixels|not a picture"),
        (bomb(1_000, 1_000), "damaged"),
    ],
)
def test_what_is_no_picture_to_show_is_refused_with_its_reason(content: bytes, says: str) -> None:
    with pytest.raises(InputError, match=says):
        shrink(content)


PEAK = """
import re, sys
from pathlib import Path
from digest.articles.thumbnails import shrink
content = sys.stdin.buffer.read()
copy = shrink(content)
peak = re.search(r"VmHWM:\\s*(\\d+) kB", Path("/proc/self/status").read_text())
print(copy.width, copy.height, int(peak[1]) // 1024)
"""


@pytest.mark.parametrize(
    ("kind", "size", "mode"),
    [("PNG", (4_472, 4_472), "RGBA"), ("PNG", (4_472, 4_472), "P"), ("JPEG", (9_000, 9_000), "RGB")],
)
def test_the_largest_pictures_that_are_decoded_take_less_than_200_megabytes(
    kind: str, size: tuple[int, int], mode: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PEAK], input=picture(kind, size, mode), capture_output=True, check=True
    )
    width, height, peak = map(int, done.stdout.split())
    assert (width, height) == (1_072, 1_072)
    assert peak < 200


def segment(marker: int, content: bytes = b"") -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


def jpeg(
    width: int, height: int, *, before: bytes = b"", scans: int = 0, apart: bool = False, components: int = 3
) -> bytes:
    """Make a grey JPEG of two bits a block, by hand: in one scan, one a component, or with empty scans added."""
    blocks = -(-width // 8) * -(-height // 8)
    numbers = range(1, components + 1)
    table = bytes([1] + [0] * 15)  # one code, of one bit
    frame = bytes([8]) + struct.pack(">HH", height, width) + bytes([components])
    made = b"\xff\xd8" + before + segment(0xDB, bytes([0] + [16] * 64))
    made += segment(0xC2 if scans else 0xC0, frame + b"".join(bytes([one, 0x11, 0]) for one in numbers))
    made += segment(0xC4, b"\x00" + table + b"\x00")
    made += segment(0xC4, b"\x10" + table + (b"\xe0" if scans else b"\x00"))
    if scans:  # the first sets a value for each block, each other says that nothing changes in any block
        made += segment(0xDA, bytes([1, 1, 0, 0, 0, 0])) + bytes(-(-blocks // 8))
        run = ("0" + "1" * 14) * -(-blocks // 32_767)
        run += "1" * (-len(run) % 8)
        coded = int(run, 2).to_bytes(len(run) // 8, "big").replace(b"\xff", b"\xff\x00")
        made += (segment(0xDA, bytes([1, 1, 0, 1, 63, 0])) + coded) * scans
    elif apart:
        data = bytes(-(-blocks * 2 // 8))
        made += b"".join(segment(0xDA, bytes([1, one, 0, 0, 63, 0])) + data for one in numbers)
    else:
        named = b"".join(bytes([one, 0]) for one in numbers)
        made += segment(0xDA, bytes([components]) + named + b"\x00\x3f\x00")
        made += bytes(-(-blocks * 2 * components // 8))
    return made + b"\xff\xd9"


@pytest.mark.parametrize(
    ("content", "size"),
    [
        (jpeg(54_000, 1_600), (1_072, 32)),
        (jpeg(1_600, 54_000), (48, 1_608)),
        (jpeg(54_000, 1_600, components=4), (1_072, 32)),
        (jpeg(3_500, 3_500, apart=True), (1_072, 1_072)),
    ],
    ids=["wide", "tall", "four inks", "a scan each component"],
)
def test_a_jpeg_of_any_shape_takes_less_than_200_megabytes(content: bytes, size: tuple[int, int]) -> None:
    done = subprocess.run([sys.executable, "-c", PEAK], input=content, capture_output=True, check=True)
    width, height, peak = map(int, done.stdout.split())
    assert (width, height) == size
    assert peak < 200


def test_a_jpeg_of_several_scans_is_held_whole_and_so_has_fewer_pixels() -> None:
    with pytest.raises(InputError, match="8900 by 8900 pixels; 12,500,000 are decoded"):
        shrink(jpeg(8_900, 8_900, apart=True))
    assert shrink(jpeg(8_900, 8_900)).width == 1_072


def test_a_picture_of_too_many_parts_is_refused_before_it_is_decoded() -> None:
    assert shrink(jpeg(64, 64, scans=20)).width == 64
    chunk = struct.pack(">I4sI", 0, b"prIv", zlib.crc32(b"prIv"))
    padded = picture("PNG")
    for content in (
        jpeg(3_500, 3_500, scans=1_000),
        jpeg(64, 64, before=segment(0xEF) * 5_000),
        jpeg(64, 64, before=b"\xff" * 5_000),
        padded[:33] + chunk * 5_000 + padded[33:],
    ):
        with pytest.raises(InputError, match="too many parts"):
            shrink(content)


def test_what_a_camera_writes_before_the_picture_counts_as_few_parts() -> None:
    exif = segment(0xE1, b"Exif\0\0" + b"\xff\xda" * 500)  # a thumbnail has scans of its own
    assert shrink(jpeg(64, 64, before=exif + segment(0xFE, b"a comment") * 20)).width == 64


def test_a_picture_that_lies_on_its_side_is_turned_before_its_height_counts() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    copy = shrink(picture("JPEG", (3_000, 1_200), exif=exif.tobytes()))
    assert (copy.width, copy.height) == (643, 1_608)
