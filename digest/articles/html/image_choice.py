"""Choose the best image for an article, rather than the first."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from html import unescape
from urllib.parse import urlsplit

from digest.articles.html.images import is_beacon

_WANTED = 576  # pixels: the widest place for an image in any look
_SMALL = 300
_TINY = 100
_LONGEST_STRIP = 5  # a banner or a rule is at least this many times as wide as high
_BODY_IMAGE = re.compile(r"<img\b((?:[^>\"]|\"[^\"]*\")*)>")
_ATTRIBUTE = re.compile(r"\s(src|alt|width|height)=\"([^\"]*)\"")
_SIZES = (
    re.compile(r"/s(?P<w>\d{2,4})(?:-[a-z0-9-]+)?/"),  # Blogger and Picasa: /s72-c/, /s1600/
    re.compile(
        r"-(?P<w>\d{2,4})x(?P<h>\d{2,4})(?:-c)?\.(?:jpe?g|png|webp|gif|avif)$", re.I
    ),  # WordPress: -150x150.jpg
    re.compile(r"[?&](?:w|width|imwidth|maxwidth|sw)=(?P<w>\d{2,4})(?:&|$)", re.I),
    re.compile(r"[?&](?:resize|fit|size)=(?P<w>\d{2,4})(?:,|x|%2C)(?P<h>\d{2,4})", re.I),
    re.compile(r"=w(?P<w>\d{2,4})-h(?P<h>\d{2,4})|=s(?P<s>\d{2,4})(?:-c)?$"),
    re.compile(r"[/,](?:w_|width[-_=]?)(?P<w>\d{2,4})[/,]", re.I),
    re.compile(r"/(?P<w>\d{2,4})x(?P<h>\d{2,4})/"),
    re.compile(r"/(?:resize|fit|crop|rs)[=:/](?:fi(?:ll|t)[:/])?(?P<w>\d{2,4})[,x:/-](?P<h>\d{2,4})", re.I),
    re.compile(r"/(?P<w>\d{3,4})px-"),  # Wikimedia
)
_FACE = re.compile(
    r"gravatar\.com/avatar|(?:^|[/_.-])(?:avatars?|profile_images?|headshots?|author[-_]?(?:photo|image|pic)s?|userpics?|authors)(?:[/_.-]|$)",
    re.I,
)
_ICON = re.compile(
    r"(?:^|[/_.-])(?:fav)?icons?(?:[/_.-]|\d|$)|(?:^|[/_.-])(?:logos?|sprites?|badges?|buttons?|share|emoji|smil(?:ey|ie)s?)(?:[/_.-]|$)",
    re.I,
)
# What a site shows where an article has no image.
_STAND_IN = re.compile(
    r"/(?:[^/]*[_.-])?(?:default|fallback|placeholder|no-?image|no-?photo|generic)(?:[_.-][^/]*)?$", re.I
)
_UNSHOWN = re.compile(
    r"\.(?:svgz?|ico|tiff?|bmp|pdf|mp3|m4a|mp4|mov|webm)$", re.I
)  # mail clients draw none of these


@dataclass(frozen=True, slots=True)
class ImageCandidate:
    """An image that may represent an article, with its size in pixels if known."""

    url: str
    alt: str = ""
    width: int | None = None
    height: int | None = None


def candidate(
    url: object, *, alt: object = "", width: object = None, height: object = None
) -> ImageCandidate | None:
    """Return a candidate of what a feed says of a picture; None where it has no address.

    >>> candidate("https://b.example/a-150x100.jpg", width="")
    ImageCandidate(url='https://b.example/a-150x100.jpg', alt='', width=None, height=None)
    """
    if not isinstance(url, str) or not url.strip():
        return None
    words = alt if isinstance(alt, str) else ""
    return ImageCandidate(url.strip(), words, _pixels(width), _pixels(height))


def choose_image(stated: Iterable[ImageCandidate], body: str) -> ImageCandidate | None:
    """Return the best of the images that a source states and those in the article's cleaned text.

    A stated image comes first, unless it is small: then the text's first real image is better. Of several
    sizes the smallest that fills the widest place of a look is chosen, else the widest. A portrait, a logo or
    an icon comes last; tracking pixels, strips and formats that mail cannot draw never count.
    """
    return choose_among(stated, images_in(body))


def choose_among(*groups: Iterable[ImageCandidate]) -> ImageCandidate | None:
    """Return the best of images from several origins: of two without a defect the one of the first origin."""
    ranked = []
    for origin, candidates in enumerate(groups):
        for number, one in enumerate(candidates):
            sized = _sized(one)
            if _is_shown(sized):
                ranked.append((*_rank(sized, origin), number, one))
    return min(ranked, key=lambda entry: entry[:-1])[-1] if ranked else None


def images_in(body: str) -> Iterator[ImageCandidate]:
    """Return the images of a cleaned text in order."""
    if "<img" not in body:
        return
    for image in _BODY_IMAGE.finditer(body):
        found = {name: unescape(value) for name, value in _ATTRIBUTE.findall(image[1])}
        if one := candidate(
            found.get("src"), alt=found.get("alt"), width=found.get("width"), height=found.get("height")
        ):
            yield one


def _sized(one: ImageCandidate) -> ImageCandidate:
    """Return a candidate with the size in its URL if no attribute states one."""
    if one.width is not None:
        return one
    for pattern in _SIZES:
        if match := pattern.search(one.url):
            found = match.groupdict()
            width = found.get("w") or found.get("s")
            return replace(
                one, width=int(width) if width else None, height=one.height or _pixels(found.get("h"))
            )
    return one


def _is_shown(one: ImageCandidate) -> bool:
    try:
        path = urlsplit(one.url).path
    except ValueError:
        return False
    is_tiny = any(size is not None and size < _TINY for size in (one.width, one.height))
    is_strip = bool(one.width and one.height) and (one.width or 0) > _LONGEST_STRIP * (one.height or 1)
    return not (is_tiny or is_strip or is_beacon(one.url) or _UNSHOWN.search(path))


def _rank(one: ImageCandidate, origin: int) -> tuple[int, int, int, int]:
    """Return the sort key of candidates: defects, origin, and how little the size is exceeded."""
    width = one.width
    is_face = _FACE.search(one.url) is not None
    path = urlsplit(one.url).path
    is_icon = _ICON.search(path) is not None or _STAND_IN.search(path) is not None
    fault = 2 if is_face or is_icon else 1 if width is not None and width < _SMALL else 0
    if width is None:
        return fault, origin, 1, 0
    return (fault, origin, 0, width) if width >= _WANTED else (fault, origin, 2, -width)


def _pixels(value: object) -> int | None:
    text = str(value or "").strip().removesuffix("px")
    return int(text) if text.isdecimal() and 0 < len(text) < 6 and int(text) else None
