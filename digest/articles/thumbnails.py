"""Make a small copy of an image: decoded within limits, turned upright, drawn again without metadata."""

import io
import warnings
from dataclasses import dataclass

from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from digest.articles.picture_parts import check_parts, has_several_scans
from digest.errors import InputError

_FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
_MOST_PIXELS = {"PNG": 20_000_000, "GIF": 20_000_000, "WEBP": 10_000_000, "JPEG": 89_000_000}
"""Pixels that take 80 MB to decode: 4 bytes each, twice that if the library keeps a second copy.

A JPEG of one scan is decoded line by line at an eighth to the whole of its size, as its copy needs.
"""
_MOST_IN_SCANS = 12_500_000
_WIDEST, _TALLEST = 1_072, 1_608  # twice the width of a message's column, for dense screens
_LEAST = 32
_STRIP = 256
_FINELY = 1.5  # times the final size remain for the better of the two filters
_QUALITY = 82
_WHITE = (255, 255, 255)
_SIDEWAYS = frozenset({5, 6, 7, 8})


@dataclass(frozen=True, slots=True)
class Shrunk:
    """A copy that may be shown: JPEG bytes and their size in pixels."""

    content: bytes
    width: int
    height: int


def shrink(content: bytes) -> Shrunk:
    """Copy an image; raise InputError if it is none, is too large to decode, or is a tracking pixel.

    Its size is read from its header and checked before anything is decoded. One call takes up to 100 MB: the
    caller must run one at a time.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return _shrink(content)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise InputError("the picture has more pixels than are decoded") from None
    except UnidentifiedImageError:
        raise InputError(f"it is not a picture of a kind that is copied ({', '.join(_FORMATS)})") from None
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError, MemoryError, Warning):
        raise InputError("the picture is damaged") from None


def _shrink(content: bytes) -> Shrunk:
    check_parts(content)
    with Image.open(io.BytesIO(content), formats=_FORMATS) as picture:
        _check_size(picture, content)
        orientation = picture.getexif().get(ExifTags.Base.Orientation, 1)
        box = (_TALLEST, _WIDEST) if orientation in _SIDEWAYS else (_WIDEST, _TALLEST)
        width, height = picture.size
        times = max(1.0, width / box[0], height / box[1])
        picture.draft("RGB", (max(1, int(width / times)), max(1, int(height / times))))
        small = _reduced_on_white(picture, box)
        small.thumbnail(box, Image.Resampling.LANCZOS)
        if orientation != 1:
            small.getexif()[ExifTags.Base.Orientation] = orientation
            ImageOps.exif_transpose(small, in_place=True)
    # Drawn again: no colour profile, comment or location of the original remains.
    drawn = Image.new("RGB", small.size, _WHITE)
    drawn.paste(small)
    out = io.BytesIO()
    drawn.save(out, "JPEG", quality=_QUALITY, optimize=True, progressive=True)
    return Shrunk(out.getvalue(), *drawn.size)


def _check_size(picture: Image.Image, content: bytes) -> None:
    width, height = picture.size
    most = _MOST_PIXELS.get(picture.format or "", _MOST_PIXELS["JPEG"])
    if has_several_scans(content):
        most = _MOST_IN_SCANS
    if width * height > most:
        raise InputError(f"the picture has {width} by {height} pixels; {most:,} are decoded at most")
    if min(width, height) < _LEAST:
        raise InputError(f"the picture has {width} by {height} pixels; that shows nothing")


def _reduced_on_white(picture: Image.Image, box: tuple[int, int]) -> Image.Image:
    """Draw an image on white at an integer fraction of its size, above what fits the box, strip by strip.

    A second copy of the whole image, as converting its mode makes, is never held.
    """
    width, height = picture.size
    part = max(1, int(max(width / box[0], height / box[1]) / _FINELY))
    paper = Image.new("RGB", (-(-width // part), -(-height // part)), _WHITE)
    rows = max(part, _STRIP // part * part)
    for top in range(0, height, rows):
        strip = _on_white(picture.crop((0, top, width, min(top + rows, height))), picture)
        paper.paste(strip.reduce(part) if part > 1 else strip, (0, top // part))
    return paper


def _on_white(strip: Image.Image, picture: Image.Image) -> Image.Image:
    if not (strip.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info):
        return strip.convert("RGB")
    layer = strip.convert("RGBA")
    paper = Image.new("RGB", strip.size, _WHITE)
    paper.paste(layer, mask=layer.getchannel("A"))
    return paper
