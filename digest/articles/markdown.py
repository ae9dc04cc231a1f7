"""Read Markdown with front matter, as static site generators write it."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import PurePosixPath
from typing import Any

import yaml
from markdown_it import MarkdownIt

from digest.articles.building import build_article
from digest.articles.identity import slug
from digest.articles.parsed import ParsedArticle
from digest.errors import InputError

_FRONT = re.compile(r"\A---[ \t]*\n(.*?)\n---[ \t]*(?:\n|\Z)", re.S)
_HEADING = re.compile(r"^# +(.+?)[ #]*$", re.M)
_AGO = re.compile(r"(?:(\d+)d)?\s*(?:(\d+)h)?")
_PARSER = MarkdownIt("commonmark", {"html": False}).enable("table")


def parse_markdown(
    content: bytes, *, name: str, base_url: str, topics: Sequence[str] = (), now: datetime | None = None
) -> ParsedArticle:
    """Read one file; raise InputError naming the file and line for what cannot be read.

    Given `now`, the key `published_ago` ("3d 4h") stands for a published time: for samples that must look
    fresh whenever they are read.
    """
    text = _decoded(content, name)
    front, body = _split(text, name)
    title = _words(front.get("title"))
    heading = _HEADING.search(body)
    if not title and heading:
        title, body = heading[1], body.replace(heading[0], "", 1)
    if not title:
        raise InputError(f'{name}: no title; write "title: ..." between --- lines, or a first line "# ..."')
    image, alt = _image(front)
    stem = slug(PurePosixPath(name).stem)
    return build_article(
        title=title,
        url=_words(front.get("url") or front.get("link")) or f"{base_url}/{stem}",
        base_url=base_url + "/",
        html=_PARSER.render(body),
        summary=_words(front.get("summary") or front.get("description")),
        guid=f"file:{name}",
        author=_words(front.get("author")) or None,
        image=image,
        image_alt=alt,
        language=_words(front.get("language") or front.get("lang")) or None,
        topics=(*_list(front.get("topics") or front.get("tags") or front.get("categories")), *topics),
        published_at=_published(front, name, now),
    )


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
        return {}, text
    front: Any
    try:
        front = yaml.safe_load(match[1]) or {}
    except yaml.MarkedYAMLError as error:
        line = (error.problem_mark.line if error.problem_mark else 0) + 2
        raise InputError(f"{name}, line {line}: the front matter is no YAML: {error.problem}") from None
    except (yaml.YAMLError, ValueError) as error:
        raise InputError(f"{name}: the front matter is no YAML: {str(error).splitlines()[0]}") from None
    if not isinstance(front, dict):
        raise InputError(f'{name}, line 2: the front matter must be lines such as "title: ..."')
    return {str(key).lower(): value for key, value in front.items()}, text[match.end() :]


def _published(front: dict[str, Any], name: str, now: datetime | None) -> datetime | None:
    ago = front.get("published_ago")
    if now is not None and ago is not None and (match := _AGO.fullmatch(str(ago).strip())):
        return now - timedelta(days=int(match[1] or 0), hours=int(match[2] or 0))
    value = front.get("published") or front.get("date")
    if value is None:
        return None
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            raise InputError(
                f'{name}: published "{value}" is no date; write 2026-11-23 or 2026-11-23T07:00'
            ) from None
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    raise InputError(f'{name}: published "{value}" is no date; write 2026-11-23 or 2026-11-23T07:00')


def _words(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    return "" if value is None else str(value)


def _list(value: object) -> list[str]:
    if isinstance(value, str):
        return value.split(",")
    return [str(item) for item in value] if isinstance(value, list) else []
