"""Read Markdown with front matter, as static site generators write it."""

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

from digest.articles.building import build_article
from digest.articles.clean import one_line
from digest.articles.identity import path_slug
from digest.articles.moments import moment
from digest.articles.parsed import ParsedArticle
from digest.errors import InputError

_FRONT = re.compile(r"\A---[ \t]*\n(.*?)^(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.S | re.M)
_UNCLOSED = re.compile(r"\A---[ \t]*\n\w+:")
_AGO = re.compile(r"(?=\d)(?:(\d{1,4})d)?\s*(?:(\d{1,4})h)?")
_DATE_REMEDY = "write 2026-11-23 or 2026-11-23T07:00"
_LARGEST_FRONT = 50_000
_PARSER = MarkdownIt("commonmark", {"html": False}).enable("table")


def parse_markdown(
    content: bytes,
    *,
    name: str,
    base_url: str,
    url: str | None = None,
    topics: Sequence[str] = (),
    now: datetime | None = None,
) -> ParsedArticle:
    """Read one file; raise InputError naming the file and line for what cannot be read.

    Its link is the front matter's, else `url`, else made of `base_url` and the file's name.

    Given `now`, the key `published_ago` ("3d 4h") stands for a published time: for samples that must look
    fresh whenever they are read.
    """
    text = _decoded(content, name)
    front, body = _split(text, name)
    title, html = _titled(_words(front.get("title")), body)
    if not title:
        raise InputError(f'{name}: no title; write "title: ..." between --- lines, or a first line "# ..."')
    published_at = _published(front, name, now)
    try:
        return _built(front, title, html, url, name, base_url, topics, published_at)
    except InputError as error:
        raise InputError(f"{name}: {error}") from None


def _built(
    front: dict[str, Any],
    title: str,
    html: str,
    url: str | None,
    name: str,
    base_url: str,
    topics: Sequence[str],
    published_at: datetime | None,
) -> ParsedArticle:
    image, alt = _image(front)
    return build_article(
        title=title,
        url=_words(front.get("url") or front.get("link")) or url or f"{base_url}/{path_slug(name)}",
        base_url=base_url + "/",
        html=html,
        summary=_words(front.get("summary") or front.get("description")),
        guid=f"file:{name}",
        author=_words(front.get("author")) or None,
        image=image,
        image_alt=alt,
        language=_words(front.get("language") or front.get("lang")) or None,
        topics=(*_list(front.get("topics") or front.get("tags") or front.get("categories")), *topics),
        published_at=published_at,
    )


def _titled(title: str, body: str) -> tuple[str, str]:
    """Give the title and the body's HTML, the heading that is the title taken out of it."""
    tokens = _PARSER.parse(body)
    at = next((n for n, token in enumerate(tokens) if token.type == "heading_open"), None)
    if at is not None:
        heading = one_line(_rendered([tokens[at + 1]]))
        if not title or (at == 0 and heading.casefold() == one_line(title).casefold()):
            title = heading
            del tokens[at : at + 3]
    return title, _rendered(tokens)


def _rendered(tokens: list[Token]) -> str:
    return str(_PARSER.renderer.render(tokens, _PARSER.options, {}))


class _PlainLoader(yaml.SafeLoader):
    """Front matter without references: a few nested ones would unfold into gigabytes."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "references (*name) are not taken", mark)
        return super().compose_node(parent, index)


def _image(front: dict[str, Any]) -> tuple[str | None, str | None]:
    image, alt = front.get("image"), front.get("image_alt")
    if isinstance(image, dict):
        return _words(image.get("url") or image.get("src")) or None, _words(image.get("alt") or alt) or None
    return _words(image) or None, _words(alt) or None


def _decoded(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(f"{name}, line {line}: is not UTF-8; save the file as UTF-8") from None


def _split(text: str, name: str) -> tuple[dict[str, Any], str]:
    match = _FRONT.match(text)
    if match is None:
        if _UNCLOSED.match(text):
            raise InputError(f"{name}, line 1: the front matter never ends; close it with a line ---")
        return {}, text
    if len(match[1]) > _LARGEST_FRONT:
        raise InputError(f"{name}, line 1: the front matter is larger than {_LARGEST_FRONT // 1000} kB")
    front: Any
    try:
        front = yaml.load(match[1], _PlainLoader) or {}  # noqa: S506 - a SafeLoader
    except yaml.MarkedYAMLError as error:
        line = (error.problem_mark.line if error.problem_mark else 0) + 2
        raise InputError(f"{name}, line {line}: the front matter is no YAML: {error.problem}") from None
    except (yaml.YAMLError, ValueError) as error:
        why = one_line(str(error).splitlines()[0])
        raise InputError(f"{name}, line 2: the front matter cannot be read: {why}") from None
    except RecursionError:
        raise InputError(f"{name}, line 2: the front matter is nested too deeply") from None
    if not isinstance(front, dict):
        raise InputError(f'{name}, line 2: the front matter must be lines such as "title: ..."')
    return {str(key).lower(): value for key, value in front.items()}, text[match.end() :]


def _published(front: dict[str, Any], name: str, now: datetime | None) -> datetime | None:
    ago = front.get("published_ago")
    if now is not None and ago is not None:
        return now - _age(_words(ago), name)
    value = front.get("published") or front.get("date")
    if value is None:
        return None
    read = moment(value)
    if read is None:
        raise InputError(f'{name}: published "{_words(value)[:40]}" is no date; {_DATE_REMEDY}')
    return read


def _age(text: str, name: str) -> timedelta:
    match = _AGO.fullmatch(text.strip())
    if match is None:
        raise InputError(f'{name}: published_ago "{text[:40]}" is no age; write "3d 4h"')
    return timedelta(days=int(match[1] or 0), hours=int(match[2] or 0))


def _words(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(filter(None, (_word(item) for item in value)))
    return _word(value)


def _word(value: object) -> str:
    return str(value) if isinstance(value, str | int | float | date) else ""


def _list(value: object) -> list[str]:
    if isinstance(value, str):
        return value.split(",")
    return [_word(item) for item in value] if isinstance(value, list) else []
