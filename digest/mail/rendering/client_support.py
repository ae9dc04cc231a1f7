"""The features that some mail clients do not support, and which of them a message uses."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from digest.errors import SettingsError

_MARKS = ("element", "attribute", "meta", "at", "selector", "property", "function", "image")
_COMMENT = re.compile(r"/\*.*?\*/", re.S)
_TOKEN = re.compile(r""""[^"]*"|'[^']*'|url\([^)]*\)|[{};]|[^{};"'u]+|.""", re.S)
_BRACKETS = re.compile(r"\[[^\]]*\]")
_COMBINATOR = re.compile(r"\s*([>+~])\s*")
_FUNCTION = re.compile(r"([a-z-]+)\(")
_ADDRESS = re.compile(r"""url\(\s*["']?([^)"']*)""")
_KIND = re.compile(r"^data:image/(\w+)|\.(\w+)(?:[?#].*)?$", re.I)
_SELECTORS = {
    "class": re.compile(r"\.[\w-]"),
    "type": re.compile(r"(?:^|[\s>+~])[a-z]", re.I),
    "descendant": re.compile(r"\s"),
    ":hover": re.compile(r":hover"),
}


@dataclass(frozen=True, slots=True)
class Feature:
    """A feature of HTML or CSS that some mail clients lack.

    Example: Outlook lacks `display: flex`. `reason` says why our looks do not depend on a feature, `remedy`
    what to use instead where a look does.
    """

    title: str
    marks: frozenset[str]
    lacking: tuple[str, ...]
    unknown_to: str
    reason: str
    remedy: str

    @property
    def warning(self) -> str:
        """Return which clients lack the feature, and what to do about it."""
        return f"{self.title} is used, which is unknown to {self.unknown_to}: {self.remedy}"


class Clients:
    """The features that mail clients lack, read once from a TOML file.

    `find('<div style="display:flex">')` returns the Feature for `display: flex`.
    """

    def __init__(self, path: Path) -> None:
        try:
            known = tomllib.loads(path.read_text(encoding="utf-8"))
            self.features = tuple(_feature(one, known["clients"]) for one in known["features"])
        except (OSError, ValueError, KeyError) as error:
            raise SettingsError(f"{path} cannot be read: {error}") from None

    def find(self, html: str) -> list[Feature]:
        """List the features in a message that some mail client lacks, in the order of the file."""
        used = _marks_in(html)
        return [feature for feature in self.features if feature.marks & used]

    def find_unexplained(self, html: str) -> list[Feature]:
        """List those features for which no fallback is known."""
        return [feature for feature in self.find(html) if not feature.reason]


def _feature(stated: Mapping[str, Any], families: Mapping[str, Mapping[str, str]]) -> Feature:
    marks = {f"{kind}:{name}" for kind in _MARKS for name in stated.get(kind, ())}
    if "value" in stated:
        marks = {f"property:{name}={value}" for name in stated["property"] for value in stated["value"]}
    if not marks or not (stated.get("reason") or stated.get("remedy")):
        raise ValueError(f"{stated['title']}: say how it is recognised, and a reason or a remedy")
    return Feature(
        title=stated["title"],
        marks=frozenset(marks),
        lacking=tuple(stated["lacking"]),
        unknown_to=_named(frozenset(stated["lacking"]), families),
        reason=stated.get("reason", ""),
        remedy=stated.get("remedy", ""),
    )


def _named(lacking: frozenset[str], families: Mapping[str, Mapping[str, str]]) -> str:
    """Name mail clients; a client that lacks a feature on all its systems is named once."""
    unknown = lacking.difference(*families.values())
    if unknown:
        raise ValueError(f"[clients] does not name {', '.join(sorted(unknown))}")
    named = []
    for family, members in families.items():
        found = [system for key, system in members.items() if key in lacking]
        if found:
            named.append(family if len(found) == len(members) else f"{family} ({', '.join(found)})")
    return ", ".join(named)


def _marks_in(html: str) -> set[str]:
    page = _UsedFeatures()
    page.feed(html)
    page.close()
    return page.marks


class _UsedFeatures(HTMLParser):
    """Collects the features that a message uses; comments, which only Outlook reads, are skipped.

    After `feed('<td style="width: 10px">')` it holds the element `td` and the property `width`.
    """

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.marks: set[str] = set()
        self._in_style = False
        self._sheets: list[str] = []

    def close(self) -> None:
        """Parse the style sheets collected so far."""
        super().close()
        self.marks |= _sheet("".join(self._sheets))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Record an element, its attributes and its inline style."""
        self._in_style = tag == "style"
        self.marks.add(f"element:{tag}")
        self.marks.update(f"attribute:{name}" for name, _ in attrs)
        known = {name: value or "" for name, value in attrs}
        if tag == "meta":
            self.marks.add(f"meta:{known.get('name', '').lower()}")
        if tag in ("img", "source"):
            named = [one.split()[0] for one in known.get("srcset", "").split(",") if one.strip()]
            self.marks |= _pictures([known.get("src", ""), *named])
        self.marks |= _declared(_statements(known.get("style", "")))

    def handle_endtag(self, tag: str) -> None:
        """Note that an element ended."""
        self._in_style = False

    def handle_data(self, data: str) -> None:
        """Append text to the style sheet that is being read."""
        if self._in_style:
            self._sheets.append(data)


def _sheet(css: str) -> set[str]:
    """Return the features of a style sheet, including those inside its at-rules."""
    marks: set[str] = set()
    declared = []
    for words, sign in _statements(css):
        if words.startswith("@"):
            marks.add(f"at:{re.split(r'[^a-z-]', words[1:].lower(), maxsplit=1)[0]}")
        elif sign == "{":
            marks |= _selected(words)
        else:
            declared.append((words, sign))
    return marks | _declared(declared)


def _statements(css: str) -> Iterator[tuple[str, str]]:
    """Split CSS at braces and semicolons outside of strings; each piece comes with its terminator."""
    words: list[str] = []
    for token in [*_TOKEN.findall(_COMMENT.sub(" ", css)), ";"]:
        if token in ("{", "}", ";"):
            yield "".join(words).strip(), token
            words = []
        else:
            words.append(token)


def _selected(selectors: str) -> set[str]:
    """Return the kinds of selectors that a rule has; those of a keyframe do not count."""
    marks: set[str] = set()
    for selector in selectors.split(","):
        bare = _COMBINATOR.sub(r"\1", _BRACKETS.sub("*", selector.strip()))
        if bare in ("from", "to"):
            continue
        if "[" in selector:
            marks.add("selector:attribute")
        marks.update(f"selector:{kind}" for kind, sign in _SELECTORS.items() if sign.search(bare))
    return marks


def _declared(statements: Iterable[tuple[str, str]]) -> set[str]:
    """Return the features that declarations use: properties (and their prefixes), values, functions."""
    marks: set[str] = set()
    for words, _ in statements:
        name, colon, value = words.partition(":")
        name, value = name.strip().lower(), value.lower().replace("!important", "").strip()
        if not colon:
            continue
        if name == "background" and "url(" in value:
            name = "background-image"
        parts = name.split("-")
        marks.update(f"property:{'-'.join(parts[:count])}" for count in range(1, len(parts) + 1))
        marks.add(f"property:{name}={value}")
        marks.update(f"function:{function}" for function in _FUNCTION.findall(value))
        marks |= _pictures(_ADDRESS.findall(value))
    return marks


def _pictures(addresses: Iterable[str]) -> set[str]:
    found = (_KIND.search(address.strip()) for address in addresses)
    return {f"image:{(kind[1] or kind[2]).lower()}" for kind in found if kind}
