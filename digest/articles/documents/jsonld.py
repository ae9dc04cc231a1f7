"""Read a page's JSON-LD (schema.org), even if it is damaged."""

import html
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

Node = dict[str, Any]

_ARTICLES = re.compile(
    r"(?:\w*Article|BlogPosting|LiveBlogPosting|SocialMediaPosting|Report|Review|\w*NewsArticle)"
)
_WRAP = re.compile(
    r"^\s*(?:<!--|//\s*<!\[CDATA\[|/\*\s*<!\[CDATA\[\s*\*/|<!\[CDATA\[)|(?:-->|(?://\s*)?\]\]>|/\*\s*\]\]>\s*\*/|;)\s*$"
)
_LAST_COMMA = re.compile(r",(\s*[}\]])")
_PAIR = re.compile(
    r'"(headline|datePublished|dateModified|articleSection|articleBody|inLanguage|alternativeHeadline)"\s*:\s*"((?:[^"\\]|\\.)*)"'
)
_LARGEST = 2_000_000
_MOST_NODES = 5_000


def find_article(scripts: Iterable[str], url: str) -> Node:
    """Return the page's article node: the one with this URL, else the first, else an empty one."""
    nodes = [node for script in scripts for node in _nodes(_loaded(script[:_LARGEST]))]
    known = {node["@id"]: node for node in nodes if isinstance(node.get("@id"), str) and len(node) > 1}
    found = [node for node in nodes if _is_article(node)]
    own = next((node for node in found if url.rstrip("/") in _addresses(node)), None)
    chosen = own or next((node for node in found if node.get("headline") or node.get("datePublished")), None)
    return {key: _resolved(value, known) for key, value in (chosen or {}).items()}


def texts(value: object, *keys: str) -> list[str]:
    """Return the texts of a value that may be a text, a node with one of `keys`, or a list of either."""
    if isinstance(value, list):
        return [text for item in value[:100] for text in texts(item, *keys)]
    if isinstance(value, dict):
        return next((found for key in keys if (found := texts(value.get(key), *keys))), [])
    return [html.unescape(value).strip()] if isinstance(value, str) and value.strip() else []


def people(value: object) -> list[str]:
    """Return the names of persons; one may have them in parts (schema.org/Person)."""
    if isinstance(value, list):
        return [name for item in value[:100] for name in people(item)]
    if not isinstance(value, dict) or value.get("name"):
        return texts(value, "name")
    parts = (*texts(value.get("givenName")), *texts(value.get("familyName")))
    return [" ".join(parts)] if parts else []


def _loaded(script: str) -> list[Any]:
    """Parse one script: as a whole, then without trailing commas, then object by object, then pair by
    pair."""
    text = script.strip()
    for _ in range(3):
        text = _WRAP.sub("", text).strip()
    for attempt in (text, _LAST_COMMA.sub(r"\1", text)):
        try:
            return [json.loads(attempt, strict=False)]
        except ValueError:
            continue
        except RecursionError:
            return []
    return _one_by_one(text) or _pairs(text)


def _one_by_one(text: str) -> list[Any]:
    reader, at = json.JSONDecoder(strict=False), 0
    found: list[Any] = []
    while (at := text.find("{", at)) >= 0 and len(found) < 50:
        try:
            value, at = reader.raw_decode(text, at)
        except (ValueError, RecursionError):
            break
        found.append(value)
    return found


def _pairs(text: str) -> list[Any]:
    node: Node = {}
    for key, value in _PAIR.findall(text):
        try:
            node.setdefault(key, json.loads(f'"{value}"', strict=False))
        except ValueError:
            continue
    return [{"@type": "Article", **node}] if node else []


def _nodes(values: list[Any]) -> Iterator[Node]:
    """Yield every object, nested ones too, without recursion."""
    waiting = list(reversed(values))
    for _ in range(_MOST_NODES):
        if not waiting:
            return
        value = waiting.pop()
        if isinstance(value, dict):
            yield value
            waiting.extend(
                inner for inner in reversed(list(value.values())) if isinstance(inner, dict | list)
            )
        elif isinstance(value, list):
            waiting.extend(reversed(value[:1_000]))


def _is_article(node: Node) -> bool:
    kinds = node.get("@type") or node.get("type")
    if not kinds:
        return bool(node.get("headline")) and bool(node.get("datePublished") or node.get("author"))
    return any(
        isinstance(kind, str) and _ARTICLES.fullmatch(re.split(r"[/:#]", kind)[-1]) is not None
        for kind in (kinds if isinstance(kinds, list) else [kinds])
    )


def _addresses(node: Node) -> set[str]:
    values = texts([node.get("url"), node.get("mainEntityOfPage"), node.get("@id")], "@id", "url")
    return {value.partition("#")[0].rstrip("/") for value in values}


def _resolved(value: object, known: dict[str, Node]) -> object:
    if isinstance(value, list):
        return [_resolved(item, known) for item in value[:100]]
    if isinstance(value, dict) and set(value) <= {"@id", "@type"}:
        return known.get(str(value.get("@id")), value)
    return value
