"""Convert a title to one line of text, depending on its format: text, HTML, or unspecified."""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from html import unescape

from digest.articles.text.emoji import with_emoji
from digest.articles.text.invisible import without_controls
from digest.rules.text_notation import lowered, raised

_LONGEST = 20_000
_TAG = re.compile(r"<!--.*?-->|<(/?)([a-zA-Z][a-zA-Z0-9:-]*)((?:\s[^<>]*|/)?)>", re.S)
_BLOCK_NAMES = "blockquote br center div h1 h2 h3 h4 h5 h6 header hr li ol p section table td th tr ul"
_LETTER_NAMES = """
    a abbr acronym b bdi bdo big cite code del dfn em font i img ins kbd mark nobr q s samp small span strike
    strong sub sup tt u var wbr
"""
_OTHER_NAMES = """
    address article aside audio base basefont blink body button canvas caption col colgroup data datalist dd
    details dialog dl dt embed fieldset figcaption figure footer form frame frameset head hgroup html input
    label legend link main map marquee menu meta meter nav optgroup option output picture pre progress rp rt
    ruby search select source summary tbody tfoot thead time title track video
"""
_LETTERS = frozenset(_LETTER_NAMES.split())
_FORMATTING = _LETTERS.union(_BLOCK_NAMES.split())
_HTML = _FORMATTING.union(_OTHER_NAMES.split())
_VOID = frozenset(("br", "hr", "img", "wbr"))
_SILENT = frozenset(("script", "style", "template", "noscript", "iframe", "object", "svg", "textarea"))
_ESCAPED_CDATA = re.compile(r"\s*(?:<|&lt;)!\[CDATA\[(.*?)\]\](?:>|&gt;)\s*", re.S)
_KNOWN = re.compile(rf"<!--|</?(?:{'|'.join(sorted(_HTML | _SILENT))})(?=[\s/>])", re.I)
_ATTRIBUTE = re.compile(r"\s[a-zA-Z][\w:-]*\s*=")
_ALT = re.compile(r"\salt\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))", re.I)
# References that a feed escaped once too often; "<" and ">" are text by then.
_TWICE = re.compile(r"&(?!(?:lt|gt|#0*6[02]|#x0*3[ce]);)(?:#\w{1,7}|[a-z][a-z0-9]{1,30});", re.I)


class Markup(StrEnum):
    """A title's markup: JSON Feed states TEXT, Atom either, and RSS nothing."""

    TEXT = "text"
    HTML = "html"
    UNSTATED = "unstated"


def title_line(title: str | None, markup: Markup = Markup.UNSTATED) -> str:
    """Return a title as one line of plain text, which pages must escape like any other text.

    TEXT stays as it is. HTML loses its tags, and its references are resolved once. If nothing is stated
    (RSS), only tags that titles really have are removed: closed formatting, void elements, formatting with
    attributes. Other names in angle brackets stay: `Vec<T>`, `without <blink>`, `<input type="date">`. A
    CDATA section that was escaped is what it encloses.
    """
    text = (title or "")[:_LONGEST]
    if markup is not Markup.TEXT and (enclosed := _ESCAPED_CDATA.fullmatch(text)):
        text = enclosed[1]
    if markup is not Markup.TEXT and ("<" in text or "&" in text):
        text = _resolved(text, markup)
    return " ".join(without_controls(with_emoji(text)).split())


def has_markup(text: str) -> bool:
    """Return whether a text has HTML in it; names in angle brackets alone (`List<Map<K,V>>`) are none."""
    if "<" not in text:
        return False
    if _KNOWN.search(text):
        return True
    tags = list(_TAG.finditer(text))
    pairs = _pairs(tags)
    return any(number in pairs or _ATTRIBUTE.match(tag[3] or "") for number, tag in enumerate(tags))


def _resolved(text: str, markup: Markup) -> str:
    if "<" not in text:
        text = unescape(text)
    else:
        tags = list(_TAG.finditer(text))
        pairs = _pairs(tags)
        text = "".join(_shown(text, tags, pairs, markup))
    return _TWICE.sub(lambda match: unescape(match[0]), text) if markup is Markup.UNSTATED else text


def _pairs(tags: list[re.Match[str]]) -> dict[int, int]:
    """Return the index of each opening tag's closing tag, and the reverse."""
    open_: defaultdict[str, list[int]] = defaultdict(list)
    pairs: dict[int, int] = {}
    for number, tag in enumerate(tags):
        name = (tag[2] or "").lower()
        if not tag[1]:
            open_[name].append(number)
        elif open_[name]:
            other = open_[name].pop()
            pairs[other], pairs[number] = number, other
    return pairs


@dataclass(slots=True)
class _Line:
    """The parts of a line so far, and where the open superscripts begin."""

    parts: list[str] = field(default_factory=list)
    raised_from: list[int] = field(default_factory=list)

    def end_raised(self, name: str) -> None:
        at = self.raised_from.pop()
        inner = "".join(self.parts[at:])
        before = next((self.parts[n][-1] for n in range(at - 1, -1, -1) if self.parts[n]), "")
        self.parts[at:] = [raised(inner, before) if name == "sup" else lowered(inner, before)]


def _shown(text: str, tags: list[re.Match[str]], pairs: dict[int, int], markup: Markup) -> Iterator[str]:
    line, at, number = _Line(), 0, 0
    while number < len(tags):
        tag = tags[number]
        line.parts.append(unescape(text[at : tag.start()]))
        name, at = (tag[2] or "").lower(), tag.end()
        if name in _SILENT and not tag[1] and number in pairs:
            number = pairs[number]  # the text of a script or style is removed with it
            at = tags[number].end()
        elif _is_markup(tag, name, number in pairs, markup):
            _take_tag(line, tag, name, number in pairs)
        else:
            line.parts.append(tag[0])
        number += 1
    yield from line.parts
    yield unescape(text[at:])


def _take_tag(line: _Line, tag: re.Match[str], name: str, is_paired: bool) -> None:
    if name == "img" and (alt := _ALT.search(tag[3])):
        line.parts.append(unescape(alt[1] or alt[2] or alt[3] or ""))
    elif name == "q" and is_paired:
        line.parts.append("”" if tag[1] else "“")
    elif name in ("sup", "sub") and is_paired:
        if tag[1] and line.raised_from:
            line.end_raised(name)
        elif not tag[1]:
            line.raised_from.append(len(line.parts))
    elif name not in _LETTERS:
        line.parts.append(" ")


def _is_markup(tag: re.Match[str], name: str, is_paired: bool, markup: Markup) -> bool:
    """Return whether a tag is markup; an unknown, unclosed one is a name in angle brackets."""
    if not name:
        return True
    has_attributes = _ATTRIBUTE.match(tag[3]) is not None
    if markup is Markup.HTML:
        return has_attributes or is_paired or name in _HTML or name in _SILENT
    if has_attributes and (is_paired or name in _FORMATTING):
        return True
    is_void = name in _VOID or tag[3].strip() == "/"
    is_stray = bool(tag[1]) and name in _FORMATTING
    is_pair = is_paired and name in _FORMATTING
    return is_pair or is_stray or (is_void and name in _FORMATTING)
