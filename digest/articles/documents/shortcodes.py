"""Replace the extensions of site generators in Markdown: shortcodes, callouts, wiki links, attributes in
braces."""

# ruff: noqa: E501 - names that generators chose stand in one line

import re
from collections.abc import Callable, Iterator

from digest.articles.text.emoji import with_emoji

# Each pattern stops where another of its kind begins, so that an unterminated one is read only once.
_FENCE = re.compile(r"^ {0,3}(?P<marks>`{3,}|~{3,})(?P<rest>[^\n]*)$", re.M)
_TICKS = re.compile(r"`+")
_BLANK = re.compile(r"(\n[ \t]*\n)")
_RAW = re.compile(
    r"\{%-?\s*(?:raw|verbatim)\s*-?%\}((?:[^{]|\{(?!%-?\s*(?:raw|verbatim)\b))*?)\{%-?\s*end(?:raw|verbatim)\s*-?%\}"
)
_COMMENT = re.compile(
    r"\{%-?\s*comment\s*-?%\}(?:[^{]|\{(?!%-?\s*comment\b))*?\{%-?\s*endcomment\s*-?%\}"
    r"|\{::comment\}(?:[^{]|\{(?!::?comment\b|:/))*\{:/(?:comment)?\}|\{::?/?(?:options|nomarkdown|comment)?[^{}\n]{0,200}/?\}(?<=/\})"
    r"|(?<![\w%])%%(?=[^\s%])(?:[^%]|%(?!%)){1,2000}%%(?![\w%])"
    r"|\{#(?:[^{#]|\{(?!#)|#(?!\}))*#\}|\{\{<\s*/\*(?:[^*{]|\*(?!/)|\{(?!\{<))*\*/\s*>\}\}"
)
_CODE = re.compile(r"\{(?P<kind>[{%])(?P<inner>[^{}]*)\}(?P<last>\}?)")
_INNER = re.compile(r"\s*(?P<close>/?)\s*(?P<name>[\w/.-]+)(?P<rest>.*)", re.S)
_VALUE = re.compile(
    r"""(?:(?P<key>[\w-]+)\s*=\s*)?(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<bare>[^\s"'=]+))"""
)
# An attribute list, alone on its line or after a heading, a link, an image or marked text (kramdown, Hugo).
_ATTRIBUTES = re.compile(
    r"^[ \t]*(?:\[\[?_?toc_?\]?\]|\{:\s*[^}\n]*\})[ \t]*$|(?<![ \t])[ \t]*\{:?[ ]?[#.][^{}\n]{1,200}\}[ \t]*$"
    r"|(?<=[)\]*_`])\{:?[^{}\n]{1,200}\}",
    re.I | re.M,
)
# "> [!NOTE]" (GitHub), "> [!tip]- A title" (Obsidian); ":::note A title" and ":::" (Docusaurus, VuePress).
_ALERT = re.compile(r"^((?:[ \t]*>)+[ \t]*)\[![\w-]{1,30}\][+-]?[ \t]*([^\n]*)$", re.M)
_CONTAINER = re.compile(
    r"^[ \t]*:{3,}[ \t]*(?:[a-z][\w-]{0,30})?[ \t]*(?:\[([^\]\n]*)\]|([^\n{]*))(?:\{[^}\n]*\})?[ \t]*$", re.M
)
# '!!! note "A title"' and the lines indented below it (Python-Markdown, MkDocs).
_ADMONITION = re.compile(
    r"""^(?:!!!|\?\?\?\+?)[ \t]+[a-z][\w -]{0,60}?(?:[ \t]+"([^"\n]*)")?[ \t]*\n((?:(?:[ ]{4}|\t)[^\n]*(?:\n|\Z)|[ \t]*\n(?=[ ]{4}|\t))*)""",
    re.M,
)
# "{:toc}" stands for the whole list above it (kramdown); others mark the place of a table of contents alone.
_CONTENTS = re.compile(
    r"^(?:[*+-]|1\.)[ \t][^\n]*\n[ \t]*\{:toc\}[ \t]*$|^[ \t]*(?:@\[toc\]|\{\{toc\}\}|\$\{toc\}|<!--[ ]*toc[ ]*-->)[ \t]*$",
    re.I | re.M,
)
_NOTE = re.compile(r"(?<=\S)\^\[([^\[\]\n]{1,400})\](?!\()")  # Pandoc, Obsidian: a note where it is read
_BLOCK_ID = re.compile(r"(?<=\S)[ \t]+\^[a-zA-Z0-9-]{3,40}[ \t]*$", re.M)  # Obsidian
_ZOLA = re.compile(r"\s*([\w-]+)\(\s*((?:[\w-]+\s*=\s*(?:\"[^\"]*\"|'[^']*'|[\w.]+)[\s,]*)+)\)\s*")
_ABBREVIATION = re.compile(r"^ {0,3}\*\[[^\]\n]{1,60}\]:[^\n]*$\n?", re.M)  # PHP Markdown Extra, kramdown
_TASK = re.compile(r"^([ \t]*(?:[*+-]|\d{1,9}[.)])[ \t]+)\[([ xX])\](?=[ \t]+\S)", re.M)  # GitHub
_HIGHLIGHTED = re.compile(r"(?<![\w=])==(?=[^\s=])([^=\n]{1,400})(?<!\s)==(?![\w=])")
_RAISED = re.compile(r"(?<=[\w)\]])(?:\^([\w+-]{1,12})\^|(?<!~)~([\w+-]{1,12})~(?!~))")  # Pandoc: x^2^, H~2~O
_EMBEDDED = re.compile(r"!\[\[[^\[\]\n]{1,300}\]\]")
_WIKI_LINK = re.compile(r"(?<!\!)\[\[([^\[\]|\n]{1,200})(?:\|([^\[\]\n]{1,200}))?\]\](?!\()")
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
    """Return the text as CommonMark; code is left unchanged."""
    text = _ADMONITION.sub(_as_quotation, text)
    return "".join(part if is_code else _replaced(part) for part, is_code in _parts(text))


def _parts(text: str) -> Iterator[tuple[str, bool]]:
    """Split a text into code and other: fenced blocks (CommonMark 4.5) first, then spans (6.1)."""
    at, fence = 0, ""
    for match in _FENCE.finditer(text):
        marks = match["marks"]
        if not fence:
            if "`" in marks and "`" in match["rest"]:
                continue
            yield from _spans(text[at : match.start()])
            at, fence = match.start(), marks
        elif marks.startswith(fence) and not match["rest"].strip():
            yield text[at : match.end()], True
            at, fence = match.end(), ""
    yield from [(text[at:], True)] if fence else _spans(text[at:])


def _spans(text: str) -> Iterator[tuple[str, bool]]:
    for block in _BLANK.split(text):
        runs = list(_TICKS.finditer(block))
        last = {len(run[0]): n for n, run in enumerate(runs)}
        at = n = 0
        while n < len(runs):
            size = len(runs[n][0])
            end = next((m for m in range(n + 1, last[size] + 1) if len(runs[m][0]) == size), None)
            if end is None:
                n += 1
                continue
            yield block[at : runs[n].start()], False
            yield block[runs[n].start() : runs[end].end()], True
            at, n = runs[end].end(), end + 1
        yield block[at:], False


def _replaced(text: str) -> str:
    text = _ABBREVIATION.sub("", _ATTRIBUTES.sub("", _CONTENTS.sub("", text)))
    text = _ALERT.sub(_as_heading, _CONTAINER.sub(_as_line, text))
    text = _TASK.sub(lambda task: task[1] + ("☐" if task[2] == " " else "☑"), text)
    text = _BLOCK_ID.sub("", _NOTE.sub(r" (\1)", text))
    text = _RAISED.sub(_as_raised, _HIGHLIGHTED.sub(r"<mark>\1</mark>", with_emoji(text)))
    text = _WIKI_LINK.sub(
        lambda link: link[2] or link[1].partition("#")[0] or link[1], _EMBEDDED.sub("", text)
    )
    return _CODE.sub(_stands_for, _COMMENT.sub("", _RAW.sub(lambda match: match[1], text)))


def _as_heading(alert: re.Match[str]) -> str:
    """Return an alert's own title as a paragraph above its text; a marker without a title is removed."""
    return f"{alert[1]}**{alert[2].strip()}**\n{alert[1]}" if alert[2].strip() else alert[1]


def _as_raised(match: re.Match[str]) -> str:
    return f"<sup>{match[1]}</sup>" if match[1] else f"<sub>{match[2]}</sub>"


def _as_line(container: re.Match[str]) -> str:
    title = (container[1] or container[2] or "").strip()
    return f"\n**{title}**\n" if title else ""


def _as_quotation(admonition: re.Match[str]) -> str:
    title, inner = admonition[1], admonition[2]
    lines = [re.sub(r"^(?: {4}|\t)", "", line) for line in inner.rstrip().split("\n")]
    return "".join(f"> {line}\n" for line in ([f"**{title}**", ""] if title else []) + lines) + "\n"


def _stands_for(code: re.Match[str]) -> str:
    """Return the replacement of a shortcode of Hugo (`{{< x >}}`, `{{% x %}}`) or Liquid (`{% x %}`)."""
    inner = code["inner"]
    if code["kind"] == "{" and code["last"] and (zola := _ZOLA.fullmatch(inner)):
        inner = f"<{zola[1]} {zola[2]}>"
    is_hugo = code["kind"] == "{" and code["last"] and inner[:1] + inner[-1:] in ("<>", "%%")
    is_liquid = code["kind"] == "%" and not code["last"] and inner.endswith("%")
    if not is_hugo and not is_liquid:
        return code[0]
    match = _INNER.fullmatch(inner[1:-1].rstrip().removesuffix("/") if is_hugo else inner[:-1].strip("-"))
    if match is None:
        return code[0]
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
    """Parse the arguments of a shortcode: by name, or by position."""
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
