"""Make a small copy of a picture: decoded within limits, turned upright, drawn anew without metadata."""

import io
import warnings
from dataclasses import dataclass

from PIL import Image, ImageOps, UnidentifiedImageError

from digest.errors import InputError

_FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
_MOST_PIXELS = 25_000_000
_WIDEST, _TALLEST = 1_072, 1_608  # twice the width of a message's column, for dense screens
_LEAST = 32
_QUALITY = 82
_WHITE = (255, 255, 255)


@dataclass(frozen=True, slots=True)
class Shrunk:
    """A copy that may be shown: JPEG bytes and their size in pixels."""

    content: bytes
    width: int
    height: int


def shrink(content: bytes) -> Shrunk:
    """Copy a picture; raise InputError for what is none, is too large to unpack, or is a counting pixel.

    Its size is read from its head and checked before anything is unpacked.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return _shrink(content)
    except (UnidentifiedImageError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise InputError(f"it is no picture of a kind that is copied ({', '.join(_FORMATS)})") from None
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError, MemoryError, Warning):
        raise InputError("the picture is damaged") from None


def _shrink(content: bytes) -> Shrunk:
    with Image.open(io.BytesIO(content), formats=_FORMATS) as picture:
        width, height = picture.size
        if width * height > _MOST_PIXELS:
            raise InputError(
                f"the picture has {width} by {height} pixels; {_MOST_PIXELS:,} are unpacked at most"
            )
        if min(width, height) < _LEAST:
            raise InputError(f"the picture has {width} by {height} pixels; that shows nothing")
        picture.draft("RGB", (_WIDEST, _TALLEST))
        upright = ImageOps.exif_transpose(picture)
        upright.thumbnail((_WIDEST, _TALLEST), Image.Resampling.LANCZOS)
        drawn = _on_white(upright)
    out = io.BytesIO()
    drawn.save(out, "JPEG", quality=_QUALITY, optimize=True, progressive=True)
    return Shrunk(out.getvalue(), *drawn.size)


def _on_white(picture: Image.Image) -> Image.Image:
    """Draw a picture on white paper, so that no colour profile, comment or place of the original stays."""
    paper = Image.new("RGB", picture.size, _WHITE)
    has_alpha = picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info
    if has_alpha:
        layer = picture.convert("RGBA")
        paper.paste(layer, mask=layer.getchannel("A"))
    else:
        paper.paste(picture.convert("RGB"))
    return paper
