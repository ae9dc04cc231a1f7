"""Find the images that a page shows: lazy ones, the best of several sizes, no pixels or placeholders."""

import re
from itertools import islice
from urllib.parse import urlsplit

from digest.articles.html.trees import Element, all_of, remove, replace, unwrap
from digest.articles.text.emoji import with_emoji

_AMP = ("amp-img", "amp-anim")
_PICTURES = (*_AMP, "img", "noscript", "picture")
_LAZY = (
    "data-src", "data-lazy-src", "data-original", "data-original-src", "data-lazy", "data-full-src",
    "data-hi-res-src",
    "data-image", "data-img-src", "data-url", "data-orig-file", "data-large-file",
    "data-large_image", "data-echo",
    "data-actualsrc", "data-src-medium", "data-src-large", "data-cfsrc", "data-ezsrc",
    "data-runner-src", "data-delayed-url",
)  # fmt: skip
_SETS = ("data-srcset", "data-lazy-srcset", "data-original-set", "srcset")
COLUMN = 536
"""The width in pixels of the narrowest column of a look: Outlook obeys the attribute, not max-width."""

_BEST_WIDTH = 1_200
_CANDIDATE = re.compile(
    r"\s*(?P<url>[^\s,]\S*?)(?:\s+(?P<size>\d+(?:\.\d+)?)(?P<unit>[wx]))?\s*(?:,(?=\s|https?:|/)|,?$)"
)
_PLACEHOLDER = re.compile(
    r"^data:|^about:|^#|(?:^|/)(?:blank|spacer|clear|transparent|pixel|placeholder|lazy|loading|loader|grey|gray|empty|1x1|0)(?:[-_.]\w*)?"
    r"\.(?:gif|png|svg|jpe?g|webp)(?:$|\?)",
    re.I,
)
_BEACON_HOST = re.compile(
    r"(?:^|\.)(?:pixel\.wp\.com|stats\.wp\.com|pixel\.facebook\.com|feedburner\.com|feedsportal\.com|doubleclick\.net|google-analytics\.com|"
    r"googletagmanager\.com|scorecardresearch\.com|quantserve\.com|imrworldwide\.com|chartbeat\.(?:com|net)|list-manage\.com|"
    r"mailchimp\.com|sendgrid\.net|hubspot\.com|parsely\.com|analytics\.\w+\.\w+|counter\.yadro\.ru|mc\.yandex\.ru|top-fwz1\.mail\.ru|"
    r"count\.carrierzone\.com|countingdownto\.com|vgwort\.de|republish-tracking\.\w+|xiti\.com|ioam\.de)$",
    re.I,
)
_BEACON_PATH = re.compile(
    r"(?:^|/)(?:pixel|track(?:ing|er)?|beacon|open|wf/open|impression|collect|__utm|count(?:er)?|piwik|matomo)(?:/|\.(?:gif|png|php|aspx?|ashx)|$)"
    r"|/tr\?id=|republication-tracker|/_/stat$|/content/\d+/count\.gif",
    re.I,
)
_EMOJI_CLASS = re.compile(
    r"(?:^|[\s_-])(?:emoji(?:one)?|twemoji|wp-smiley|joypixels|smiley|emoticon)(?:$|[\s_-])", re.I
)
_EMOJI_PATH = re.compile(
    r"/images/core/emoji/|/twemoji[@/.]|/emojione[@/]|//abs(?:-\d)?\.twimg\.com/emoji/|/(?:images|icons)/emoji(?:\.php)?/"
    r"|[/-]emoji-assets/|/noto-?emoji/|/smil(?:ey|ie)s/|/wp-includes/images/smilies/",
    re.I,
)
_CODE_POINTS = re.compile(
    r"/(?:emoji_)?u?([0-9a-f]{2,6}(?:[-_][0-9a-f]{2,6}){0,9})\.(?:png|svg|gif|webp)(?:$|\?)", re.I
)
_NEW_FORMATS = ("webp", "avif", "jxl")
_PREVIEW = re.compile(r"[?&,/](?:w|width)[=_]\d{1,2}(?:[&,/]|$)|[?&,/]blur[=_:]|[?&]lqip\b", re.I)
_LEAST_SHOWN = 100
_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|opacity\s*:\s*0(?![.\d])|(?:^|;)\s*(?:width|height)\s*:\s*[01](?:px)?\s*(?:;|$)",
    re.I,
)
_TINY = re.compile(r"\s*[01](?:\.0)?\s*(?:px)?\s*")
_LONGEST_SIGN = 30
_SHORT_CODE = re.compile(r":?[a-z0-9_+-]{2,}:?", re.I)  # ":rocket:", as chats and GitHub write it
_SIZED_AS_TEXT = re.compile(r"(?:^|[;\s])(?:width|height)\s*:\s*1(?:\.\d+)?r?em\b", re.I)
_SIZE = re.compile(r"\s*(\d{1,4})(?:\.\d+)?\s*(?:px)?\s*")


def resolve_images(tree: Element, tags: frozenset[str]) -> None:
    """Set each image's real URL once; remove those that show nothing."""
    if tags.isdisjoint(_PICTURES):
        return
    for amp in all_of(tree, *tags.intersection(_AMP)):
        amp.tag = "img"
    for noscript in all_of(tree, *tags.intersection(("noscript",))):
        _unfold(noscript)
    for picture in all_of(tree, *tags.intersection(("picture",))):
        _resolve_picture(picture)
    for image in all_of(tree, "img"):
        if (sign := _emoji(image)) is not None:
            _say(image, sign)
        else:
            _resolve(image)
    _drop_doubles(tree)


def _emoji(image: Element) -> str | None:
    """Return the characters that an emoji image stands for; None for any other image.

    WordPress and Twitter put them into `alt`, and the code points into the file's name.
    """
    alt = (image.get("alt") or "").strip()
    address = image.get("src") or image.get("data-src") or ""
    is_named = _EMOJI_CLASS.search(image.get("class") or "") is not None
    is_sign = is_named or _EMOJI_PATH.search(address) is not None or _is_letter(image, alt)
    if not is_sign:
        return None
    named = _CODE_POINTS.search(address)
    if _SHORT_CODE.fullmatch(alt) and (sign := with_emoji(f":{alt.strip(':')}:")) != f":{alt.strip(':')}:":
        return sign
    if alt and len(alt) <= _LONGEST_SIGN and not (named and _SHORT_CODE.fullmatch(alt)):
        return alt
    if named is None:
        return "" if not alt else None
    points = [int(point, 16) for point in re.split("[-_]", named[1])]
    is_text = all(0xA0 < point < 0x110000 and not 0xD800 <= point < 0xE000 for point in points[:1])
    return "".join(map(chr, points)) if is_text and max(points) < 0x110000 else None


def _is_letter(image: Element, alt: str) -> bool:
    """Return whether an image is as high as a letter and its words are one sign without letters."""
    is_bare = 0 < len(alt) <= _LONGEST_SIGN and not any(char.isascii() or char.isalnum() for char in alt)
    return is_bare and _SIZED_AS_TEXT.search(image.get("style") or "") is not None


def _say(image: Element, sign: str) -> None:
    """Replace an image by text."""
    image.tail = sign + (image.tail or "")
    remove(image)


def is_beacon(url: str) -> bool:
    """Return whether a URL belongs to a tracking pixel."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    return (
        _BEACON_HOST.search(host) is not None
        or _BEACON_PATH.search(parts.path) is not None
        or "/tr?id=" in url
    )


def best_of(srcset: str) -> str | None:
    """Choose from a `srcset` (HTML Standard, 4.8.4.3) the smallest image that is large enough, else the
    largest."""
    sized = []
    for match in _CANDIDATE.finditer(srcset[:8_000]):
        size = float(match["size"] or 1)
        width = size if match["unit"] == "w" else size * 600
        if not _PLACEHOLDER.search(match["url"]):
            sized.append((width, match["url"]))
    enough = sorted((width, url) for width, url in sized if width >= _BEST_WIDTH)
    return enough[0][1] if enough else max(sized, default=(0, None), key=lambda pair: pair[0])[1]


def _unfold(noscript: Element) -> None:
    """Unwrap a `noscript`: its image counts if the one before it has no URL."""
    images = list(noscript.iter("img"))
    before = noscript.getprevious()
    real = next((_address(image) for image in images if _address(image)), None)
    if real and before is not None:
        lazy = before if before.tag == "img" else next(before.iter("img"), None)
        if lazy is not None and not (before.tail or "").strip():
            if not _address(lazy) or _PLACEHOLDER.search(lazy.get("src") or "data:"):
                lazy.set("src", real)
            if not lazy.get("alt") and (alt := next(filter(None, (one.get("alt") for one in images)), None)):
                lazy.set("alt", alt)
            remove(noscript)
            return
    if images:
        unwrap(noscript)
    else:
        remove(noscript)


def _resolve_picture(picture: Element) -> None:
    image = next(picture.iter("img"), None)
    if image is None:
        remove(picture)
        return
    address = _address(image)
    if not address or _is_preview(image, address):
        # Not every mail program draws the new formats, which usually come first.
        sources = sorted(
            picture.iter("source"), key=lambda one: (one.get("type") or "").endswith(_NEW_FORMATS)
        )
        sets = [source.get(name) for source in sources for name in _SETS if source.get(name)]
        found = next(filter(None, (best_of(one or "") for one in sets)), None)
        if found:
            image.set("src", found)
            for name in ("width", "height", "srcset", *_LAZY):
                image.attrib.pop(name, "")
    image.tail = None
    replace(picture, image)


def _is_preview(image: Element, address: str) -> bool:
    """Return whether an image is the small or blurred one that is shown until the real one is loaded."""
    width = _SIZE.fullmatch(image.get("width") or "")
    return (width is not None and int(width[1]) < _LEAST_SHOWN) or _PREVIEW.search(address) is not None


def _resolve(image: Element) -> None:
    address = _address(image)
    if not address or _is_unseen(image) or is_beacon(address):
        remove(image)
        return
    image.set("src", address)
    if not (image.get("alt") or "").strip() and (words := (image.get("title") or "").strip()):
        image.set("alt", words)
    sizes = {name: _SIZE.fullmatch(image.get(name) or "") for name in ("width", "height")}
    given = {name: int(size[1]) for name, size in sizes.items() if size}
    width = given.get("width", 0)
    for name in sizes:
        if name in given:
            image.set(name, str(given[name] * COLUMN // width if width > COLUMN else given[name]))
        else:
            image.attrib.pop(name, "")


def _address(image: Element) -> str | None:
    given = {str(name): str(value) for name, value in image.items()}
    own = given.get("src", "").strip()
    for name in _LAZY:
        if (lazy := given.get(name, "").strip()) and _is_url(lazy):
            return lazy
    for name in _SETS:
        if (
            (value := given.get(name))
            and (found := best_of(value))
            and (name != "srcset" or _PLACEHOLDER.search(own or "#"))
        ):
            return found
    if own and (wider := _wider(own, given.get("srcset", ""))):
        return wider
    return own if own and not _PLACEHOLDER.search(own) else None


def _wider(own: str, srcset: str) -> str | None:
    """Return the smallest image of a `srcset` that fills a column, where it says that `src` does not."""
    if own not in srcset:
        return None
    sized = {
        match["url"]: float(match["size"])
        for match in _CANDIDATE.finditer(srcset[:8_000])
        if match["unit"] == "w"
    }
    enough = [(width, url) for url, width in sized.items() if width >= COLUMN]
    return min(enough)[1] if enough and sized.get(own, COLUMN) < COLUMN else None


def _is_url(value: str) -> bool:
    return not _PLACEHOLDER.search(value) and not value.startswith(("{", "[")) and " " not in value


def _is_unseen(image: Element) -> bool:
    sizes = [image.get("width"), image.get("height")]
    if any(size is not None and _TINY.fullmatch(size) for size in sizes) or image.get("hidden") is not None:
        return True
    holders = [image, *islice(image.iterancestors(), 3)]
    return any(_HIDDEN.search(holder.get("style") or "") for holder in holders)


def _drop_doubles(tree: Element) -> None:
    before: str | None = None
    for image in all_of(tree, "img"):
        address = image.get("src")
        if address == before:
            remove(image)
        before = address
