"""Repair XML character references that were written by hand: a bare &, HTML's names, Windows-1252 numbers."""

import re
from html.entities import html5

from digest.articles.feeds.xml_bombs import parted
from digest.articles.text.invisible import C1_SIGNS

_BARE = re.compile(rb"&(?!(?:[A-Za-z][A-Za-z0-9]{0,30}|#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6});)")
_NAMED = re.compile(rb"&([A-Za-z][A-Za-z0-9]{0,30});")
_HALVES = re.compile(rb"(?:&#(?:0*5[5-7][0-9]{3}|[xX]0*[dD][89A-Fa-f][0-9A-Fa-f]{2});)+")
_NUMBER = re.compile(rb"&#(?:([0-9]+)|[xX]([0-9A-Fa-f]+));")
_OLD_SIGN = re.compile(rb"&#(?:0{0,5}(1[2-5][0-9])|[xX]0{0,5}([89][0-9A-Fa-f]));")
_XML_NAMES = frozenset((b"amp", b"lt", b"gt", b"quot", b"apos"))


def join_surrogates(content: bytes) -> bytes:
    """Replace references to the halves of a UTF-16 pair, as JavaScript writes an emoji, by the character's.

    A half alone is no character (XML 1.0, 2.2), and becomes U+FFFD.

    >>> join_surrogates(b"Fair &#55356;&#57267; or &#xD83C;")
    b'Fair &#127987; or &#65533;'
    """
    return _HALVES.sub(_joined, content) if b"&#" in content else content


def escape_bare(content: bytes) -> bytes:
    """Escape each & that begins no reference, outside of CDATA: feedparser makes "R&D;" of "R&D"."""
    if b"\0" in content or not _BARE.search(content):
        return content
    return b"".join(part if is_cdata else _BARE.sub(b"&amp;", part) for part, is_cdata in parted(content))


def number_names(content: bytes) -> bytes:
    """Replace HTML's named references by numbers, outside of CDATA: XML knows five names."""
    if b"\0" in content or not _NAMED.search(content):
        return content
    return b"".join(part if is_cdata else _NAMED.sub(_number, part) for part, is_cdata in parted(content))


def mend_references(content: bytes) -> bytes:
    """Escape each & that begins no reference, and number HTML's names; unknown names become text."""
    return number_names(escape_bare(content))


def _joined(match: re.Match[bytes]) -> bytes:
    units = [int(one[1]) if one[1] else int(one[2], 16) for one in _NUMBER.finditer(match[0])]
    text = b"".join(unit.to_bytes(2, "little") for unit in units).decode("utf-16-le", "replace")
    return b"".join(b"&#%d;" % ord(char) for char in text)


def mend_old_signs(content: bytes) -> bytes:
    """Replace references to C1 controls, outside of CDATA, by what they mean in Windows-1252: `&#133;` is an
    ellipsis (HTML 13.2.5.80), which nobody means as the line break that it is in XML."""
    if b"\0" in content or not _OLD_SIGN.search(content):
        return content
    return b"".join(
        part if is_cdata else _OLD_SIGN.sub(_modern_sign, part) for part, is_cdata in parted(content)
    )


def _modern_sign(match: re.Match[bytes]) -> bytes:
    code = int(match[1]) if match[1] else int(match[2], 16)
    sign = C1_SIGNS.get(code)
    return f"&#{ord(sign)};".encode() if sign else b"" if 0x80 <= code <= 0x9F else match[0]


def _number(match: re.Match[bytes]) -> bytes:
    if match[1] in _XML_NAMES:
        return match[0]
    sign = html5.get(match[1].decode() + ";")
    return "".join(f"&#{ord(char)};" for char in sign).encode() if sign else b"&amp;" + match[0][1:]
