"""Decode the bytes of a page, a feed or a text."""

import re

_MARKS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_META = re.compile(
    rb"<meta[^>]{0,300}?charset\s*=\s*[\"']?\s*([\w.:-]{2,40})|<\?xml[^>]{0,200}?encoding=[\"']([\w.:-]{2,40})",
    re.I,
)
_HEADER = re.compile(r"charset\s*=\s*[\"']?\s*([\w.:-]{2,40})", re.I)
_KNOWN = re.compile(
    r"utf-?(?:8|16|16le|16be|32)|utf-16-?[lb]e|(?:windows|cp)-?\d{3,4}|iso-?8859-?\d{1,2}|latin-?\d|koi8-[rut]"
    r"|gb2312|gbk|gb18030|big5(?:-?hkscs)?|euc-(?:jp|kr)|shift[_-]jis|sjis|x-sjis|ks_c_5601-1987|tis-620"
    r"|us-ascii|ascii|mac(?:intosh|-?cyrillic|-?roman)|iso-2022-jp"
)
# What browsers take a label to mean (WHATWG Encoding, 4.2): the superset of the same family.
_MEANT = {
    "iso-8859-1": "cp1252", "iso8859-1": "cp1252", "latin1": "cp1252", "latin-1": "cp1252", "ascii": "cp1252",
    "us-ascii": "cp1252", "iso-8859-9": "cp1254", "gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932",
    "shift-jis": "cp932", "sjis": "cp932", "x-sjis": "cp932", "euc-kr": "cp949", "ks_c_5601-1987": "cp949",
    "tis-620": "cp874", "iso-8859-11": "cp874", "macintosh": "mac_roman", "big5": "big5hkscs",
}  # fmt: skip
_OLD = [
    "cp1252", "cp1251", "koi8_r", "cp1250", "cp1253", "cp1254", "cp1255", "cp1256", "cp932", "euc_jp",
    "gb18030", "big5", "cp949",
]  # fmt: skip
_DECLARED = re.compile(r"\A(\s*<\?xml\b[^>]{0,200}?)\s+encoding\s*=\s*(?:\"[^\"]*\"|'[^']*')")
_ENCODING = re.compile(rb"<\?xml\b[^>]{0,200}?\sencoding\s*=\s*[\"']([^\"']{1,40})")
_IS_UTF_8 = re.compile(r"charset\s*=\s*[\"']?utf-?8\b", re.I)
_OTHER_SCRIPTS = frozenset((
    "cp1251", "koi8_r", "cp1253", "cp1255", "cp1256", "cp932", "euc_jp", "gb18030", "big5", "cp949",
))  # fmt: skip
_IN_UTF_8 = "application/xml; charset=utf-8"
_HEAD = 4_096
_SAMPLE = 40_000


def decode_text(content: bytes) -> str:
    """Decode a text of unknown encoding: by its byte order mark, else as UTF-8, else by its letters."""
    return _marked(content) or _unstated(content)


def decode_page(content: bytes, content_type: str = "") -> str:
    """Decode a web page: by its byte order mark, then HTTP, then its own declaration (HTML Standard,
    13.2.3.2).

    A label that the bytes contradict is ignored: pages are moved between servers more often than they are
    rewritten.
    """
    if (marked := _marked(content)) is not None:
        return marked
    stated = _HEADER.search(content_type)
    meta = _META.search(content[:_HEAD])
    labels = [stated[1] if stated else "", (meta[1] or meta[2]).decode("ascii") if meta else ""]
    for label in filter(None, labels):
        if (read := _labelled(content, label.lower())) is not None:
            return read
    return _unstated(content)


def from_utf_16(content: bytes, content_type: str) -> tuple[bytes, str]:
    """Return a feed in UTF-8 that its first bytes say to be in UTF-16, whatever it declares."""
    try:
        text = content.decode("utf-16")
    except UnicodeDecodeError:
        return content, content_type
    return _DECLARED.sub(r"\1", text, count=1).encode(), _IN_UTF_8


def in_utf_8(content: bytes, content_type: str) -> tuple[bytes, str]:
    """Return a feed in UTF-8 that calls itself UTF-8, or nothing, and is in another script's code page.

    Western code pages are left to feedparser, which takes Windows-1252 for them. Only letters of another
    script, many of them, can be told by their bytes.
    """
    if content.isascii() or ("charset" in content_type.lower() and not _IS_UTF_8.search(content_type)):
        return content, content_type
    stated = _ENCODING.search(content[:300])
    if stated is not None and stated[1].lower() not in (b"utf-8", b"utf8"):
        return content, content_type
    try:
        content.decode()
    except UnicodeDecodeError:
        text, encoding = decode_unstated(content)
        if encoding in _OTHER_SCRIPTS:
            return _DECLARED.sub(r"\1", text, count=1).encode(), _IN_UTF_8
    return content, content_type


def _marked(content: bytes) -> str | None:
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding, "replace")
    return None


def _labelled(content: bytes, label: str) -> str | None:
    if not _KNOWN.fullmatch(label):
        return None
    if label.startswith("utf-16"):
        label = "utf-8"  # a page whose label could be read is not UTF-16 (HTML Standard, 13.2.3.3)
    try:
        return content.decode(_MEANT.get(label, label))
    except (UnicodeDecodeError, LookupError):
        return None


def _unstated(content: bytes) -> str:
    return decode_unstated(content)[0]


def decode_unstated(content: bytes) -> tuple[str, str]:
    """Decode bytes without a declaration; return the text and its encoding, which is a guess if it is not
    Unicode."""
    if b"\0" in content[:200]:
        encoding = "utf-16-le" if content[1:2] == b"\0" else "utf-16-be"
        return content.decode(encoding, "replace"), encoding
    try:
        return content.decode("utf-8"), "utf-8"
    except UnicodeDecodeError as error:
        # A cut or a few stray bytes in UTF-8 must not turn all of it into mojibake.
        if _is_mostly_utf8(content):
            return content.decode("utf-8", "replace"), "utf-8"
        from charset_normalizer import from_bytes  # imported here: hardly anything needs it

        sample = content[max(0, error.start - _SAMPLE // 2) :][:_SAMPLE]
        best = from_bytes(sample, cp_isolation=_OLD).best()
        encoding = best.encoding if best else "cp1252"
        return content.decode(encoding, "replace"), encoding


def _is_mostly_utf8(content: bytes) -> bool:
    read = content[:200_000].decode("utf-8", "replace")
    beyond = sum(char > "\x7f" for char in read)
    return read.count("\ufffd") * 10 < beyond
