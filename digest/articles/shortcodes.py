"""Make the shortcodes of static site generators harmless: a film becomes a link, the rest gives its text."""

# ruff: noqa: E501 - names that generators chose stand in one line

import re
from collections.abc import Callable

_CODE_SPAN = re.compile(
    r"(^(?P<fence>`{3,}|~{3,}).*?^(?P=fence)[`~]*[ \t]*$|(?<!`)(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`))",
    re.S | re.M,
)
_RAW = re.compile(r"\{%-?\s*(?:raw|verbatim)\s*-?%\}(.*?)\{%-?\s*end(?:raw|verbatim)\s*-?%\}", re.S)
_COMMENT = re.compile(
    r"\{%-?\s*comment\s*-?%\}.*?\{%-?\s*endcomment\s*-?%\}|\{#.*?#\}|\{\{<\s*/\*.*?\*/\s*>\}\}", re.S
)
_HUGO = re.compile(r"\{\{[<%]\s*(?P<close>/?)\s*(?P<name>[\w/.-]+)(?P<rest>[^<>{}]*?|[^{}]*?)\s*/?[>%]\}\}")
_LIQUID = re.compile(r"\{%-?\s*(?P<close>/?)(?P<name>[\w/.-]+)(?P<rest>[^{}]*?)-?%\}")
_VALUE = re.compile(
    r"""(?:(?P<key>[\w-]+)\s*=\s*)?(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<bare>[^\s"'=]+))"""
)
_KEY = re.compile(r"[\w-]{3,40}")
_URL = re.compile(r"https?://[^\s\"'<>(){}\[\]]{4,500}")
_FILMS = {"youtube": "https://www.youtube.com/watch?v={}", "vimeo": "https://vimeo.com/{}"}
_POSTS = {
    "tweet": "Post on X",
    "twitter": "Post on X",
    "x": "Post on X",
    "instagram": "Post on Instagram",
    "gist": "Code on GitHub",
}


def without_shortcodes(text: str) -> str:
    """Give Markdown without shortcodes; what stands as code is left as it is."""
    parts, at = [], 0
    for match in _CODE_SPAN.finditer(text):
        parts.append(_replaced(text[at : match.start()]) + match[0])
        at = match.end()
    return "".join((*parts, _replaced(text[at:])))


def _replaced(text: str) -> str:
    text = _COMMENT.sub("", _RAW.sub(lambda match: match[1], text))
    return _LIQUID.sub(_stands_for, _HUGO.sub(_stands_for, text))


def _stands_for(match: re.Match[str]) -> str:
    if match["close"] or match["name"].startswith("end"):
        return ""
    name = match["name"].lower().rpartition("/")[2]
    values = _values(match["rest"])
    make: Callable[[dict[str, str]], str] | None = _MADE.get(name)
    if make is not None:
        return make(values)
    if name in _FILMS and _KEY.fullmatch(key := values.get("id") or values.get("0", "")):
        return f"[Video on {name.capitalize().replace('tube', 'Tube')}]({_FILMS[name].format(key)})"
    url = next((value for value in values.values() if _URL.fullmatch(value)), None)
    if name in _POSTS and (url or {"user", "id"} <= set(values)):
        return f"[{_POSTS[name]}]({url or _post(values)})"
    return ""


def _values(rest: str) -> dict[str, str]:
    """Read the values of a shortcode: by name, or by place."""
    found: dict[str, str] = {}
    for number, match in enumerate(_VALUE.finditer(rest[:2_000])):
        value = next(one for one in (match["double"], match["single"], match["bare"]) if one is not None)
        found[(match["key"] or str(number)).lower()] = value
    return found


def _post(values: dict[str, str]) -> str:
    return f"https://x.com/{values['user']}/status/{values['id']}"


def _figure(values: dict[str, str]) -> str:
    source = values.get("src") or values.get("0", "")
    if not source or re.search(r"[\s<>()]", source):
        return ""
    alt = re.sub(r"[\[\]\\<>]", "", values.get("alt") or values.get("caption") or "")
    caption = values.get("caption") or values.get("title") or ""
    return f"![{alt}]({source})" + (f"\n\n*{caption}*" if caption and caption != alt else "")


def _link(values: dict[str, str]) -> str:
    return values.get("0", "")


_MADE: dict[str, Callable[[dict[str, str]], str]] = {
    "figure": _figure, "img": _figure, "image": _figure, "ref": _link, "relref": _link, "link": _link, "post_url": _link,
}  # fmt: skip
