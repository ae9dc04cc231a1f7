"""Refuse XML that is made to exhaust its parser, before a parser sees it."""

import codecs
import contextlib
import re
from collections.abc import Iterator, Sequence

from digest.errors import InputError

_NAMED_DOCTYPE = re.compile(
    rb"<!DOCTYPE\s{1,9}[\w:.-]{1,99}(?:\s{1,9}(?:PUBLIC|SYSTEM)(?:\s{1,9}\"[^\"<>\[]{0,999}\"){1,2})?\s{0,9}>"
)
_TAG = re.compile(rb"<(/?)([A-Za-z_][^\s<>/]{0,40})(?:[^<>\"']|\"[^\"]*+\"|'[^']*+')*+(?:(?<=(/))>)?")
_NEVER_CLOSED = frozenset((b"br", b"hr", b"img", b"input", b"p", b"li", b"meta", b"link", b"wbr", b"col"))
_LABEL = re.compile(rb"\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']\s*([\w.:-]{2,40})")
_CHARSET = re.compile(rb"charset\s*=\s*[\"']?\s*([\w.:-]{2,40})", re.I)
_EBCDIC = "<?xml".encode("cp037")
_ESCAPING = frozenset(
    (
        "unicode-escape",
        "raw-unicode-escape",
        "unicode_escape",
        "raw_unicode_escape",
        "punycode",
        "idna",
        "undefined",
    )
)
_ASCII = re.compile(
    r"utf-8(?:-sig)?|ascii|latin-?1|iso8859-\d+|iso-8859-1|cp(?:437|737|775|8[56]\d|874|9\d\d|125\d)|koi8-\w|gb\w+|big5\w*|euc_\w+|shift_jis\w*|iso2022\w+|mac-\w+|tis-620"
)
_MANY_TAGS = 10_000
_MOST_TAGS = 200_000
_DEEPEST = 1_000
_LONGEST_TAG = 65_536


def check_xml(content: bytes, name: str, content_type: str = "") -> None:
    """Raise InputError for entities, and for tags that are too many, too deep or too long for a feed."""
    if any(map(declares_entities, _readings(content, name, content_type))):
        raise InputError(f"{name} declares XML entities, which no feed or list ever needs; it is not read")
    tags, depth = _measured(content) if content.count(b"<") > _MANY_TAGS else (0, 0)
    if tags > _MOST_TAGS:
        raise InputError(f"{name} has over {_MOST_TAGS:,} tags; give one with fewer items")
    if depth > _DEEPEST:
        raise InputError(f"{name} is nested over {_DEEPEST:,} deep; it is not read")
    if len(content) > _LONGEST_TAG and _has_long_tag(content.split(b"<")[1:]):
        raise InputError(f"{name} has a tag of over {_LONGEST_TAG:,} bytes; it is not read")


def _readings(content: bytes, name: str, content_type: str) -> Iterator[bytes]:
    """Return a document as it is, and as UTF-8 if it declares an encoding that is not ASCII-compatible."""
    yield content
    stated = [_LABEL.match(content[:400]), _CHARSET.search(content_type.encode("ascii", "ignore"))]
    labels = {match[1].decode().lower() for match in stated if match}
    if content.startswith(_EBCDIC):
        labels.add("cp037")
    for label in labels:
        try:
            encoding = codecs.lookup(label).name
        except (LookupError, ValueError):
            continue
        if encoding in _ESCAPING:
            raise InputError(f"{name} is in {label}, which only hides what it says; give it in UTF-8")
        if not _ASCII.fullmatch(encoding):
            with contextlib.suppress(LookupError, ValueError):
                yield content.decode(encoding, "ignore").encode("utf-8", "ignore")


def declares_entities(content: bytes) -> bool:
    """Return whether XML declares entities in a DTD.

    Where the DTD ends is not determined, because comments and quoted values can hide it. XML knows these
    words in capitals only (XML 1.0, 2.8 and 4.2); mentions in text do not matter.
    """
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        content = content.replace(b"\0", b"")
    last = content.rfind(b"<!ENTITY")
    if last < 0:
        return False
    before = _NAMED_DOCTYPE.sub(b"", content[:last], count=1)
    start = before.find(b"<!DOCTYPE")
    return start >= 0 and b"[" in before[start:]


def parted(content: bytes) -> Iterator[tuple[bytes, bool]]:
    """Return the parts of a document in order, each with whether it is a CDATA section."""
    at = 0
    while (start := content.find(b"<![CDATA[", at)) >= 0 and (end := content.find(b"]]>", start)) >= 0:
        yield content[at:start], False
        yield content[start:end], True
        at = end
    yield content[at:], False


def _has_long_tag(parts: Sequence[bytes]) -> bool:
    return max(map(len, parts), default=0) > _LONGEST_TAG and any(map(_is_long_tag, parts))


def _is_long_tag(part: bytes) -> bool:
    return (
        len(part) > _LONGEST_TAG
        and part[:1].isalpha()
        and not 0 <= part.find(b">", 0, _LONGEST_TAG) < _LONGEST_TAG
    )


def _measured(content: bytes) -> tuple[int, int]:
    """Count the tags outside of CDATA and their depth, except those that HTML never closes."""
    tags = depth = deepest = 0
    for part, is_cdata in parted(content):
        for tag in () if is_cdata else _TAG.finditer(part):
            tags += 1
            if not tag[3] and tag[2].lower() not in _NEVER_CLOSED:
                depth += -1 if tag[1] else 1
                deepest = max(deepest, depth)
        if tags > _MOST_TAGS:
            break
    return tags, deepest
