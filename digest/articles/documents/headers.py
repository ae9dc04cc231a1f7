"""Split a document into its header and its text, in the forms that generators write.

Front matter stands between lines of signs or is a JSON object. MultiMarkdown and Pelican begin with lines
`Title: ...`, Pandoc with `% title`, Nikola with a comment, and Hexo may leave out the first `---`.
"""

import json
import re
import tomllib
from collections.abc import Callable
from typing import Any

import yaml

from digest.articles.documents.frontmatter import KNOWN_KEYS, Front
from digest.articles.html.cleaning import one_line
from digest.articles.text.dates import parse_feed_date
from digest.articles.text.names import given_name_first
from digest.errors import InputError

_Found = tuple[Any, str]
"""What a header says, and the text after it."""

_FENCED = re.compile(
    r"\A(?P<mark>(?P<dashes>---)|\+\+\+|;;;)(?P<form>yaml|yml|toml|json|js|javascript|cson|coffee)?[ \t]*\n"
    r"(?P<inner>.*?)^(?:(?P=mark)|(?(dashes)\.\.\.|(?!)))[ \t]*(?:\n|\Z)",
    re.S | re.M | re.I,
)
# A value on its key's own line that is none of YAML's quotations, collections or blocks.
_UNQUOTED = re.compile(
    r"""([\w-]+:[ \t]+)([^\s'"\[{|>&*!#].*|'[^']*'[^\S\n]*[^\s#'].*|"[^"]*"[^\S\n]*[^\s#"].*"""
    r"""|\[[^\]]*\][^\S\n]*[^\s#,].*)"""
)
_FORMS = {"---": "yaml", "+++": "toml", ";;;": "json"}
_UNCLOSED = re.compile(r"\A(?:---|\+\+\+|;;;)[ \t]*\n\s*[\w\"]+\s*[:=]")
_OBJECT = re.compile(r"\A\{\s*(?=[\"}])")
_LINE = re.compile(r"([^\W\d_][\w .-]{0,40}?)[ \t]*:(?:[ \t]+(.*)|[ \t]*)")
_YAML_LINE = re.compile(r"[\w.-]{1,40}[ \t]*:(?:\s|$)|[ \t]|-[ \t]|#|$")
_UNOPENED = re.compile(r"\A((?:.*\n){1,200}?)-{3,}[ \t]*(?:\n|\Z)")
_PANDOC = re.compile(r"\A(?:%(?:[ \t].*)?\n(?:[ \t]+\S.*\n)*){1,3}")
_NIKOLA = re.compile(
    r"\A\s*(?P<open><!--\s*)?(?P<inner>(?:\.\. [\w-]+:.*\n)+)\s*(?(open)-->[ \t]*(?:\n|\Z)|(?:\n|\Z))"
)
_LARGEST = 50_000


def split_header(text: str, name: str) -> tuple[Front, str]:
    """Split a file into its header and its text; raise InputError naming the line that cannot be parsed."""
    for read in (_fenced, _json_object, _pandoc, _nikola, _unopened, _lines):
        found = read(text, name)
        if found is None:
            continue
        front, body = found
        if not isinstance(front, dict):
            raise InputError(f'{name}, line 2: the front matter must be lines such as "title: ..."')
        return _flat(front), body
    if _UNCLOSED.match(text):
        raise InputError(f"{name}, line 1: the front matter never ends; close it with a line {text[:3]}")
    return {}, text


def _fenced(text: str, name: str) -> _Found | None:
    match = _FENCED.match(text)
    if match is None:
        return None
    inner, form = match["inner"], (match["form"] or _FORMS[match["mark"]]).lower()
    if len(inner) > _LARGEST:
        raise InputError(f"{name}, line 1: the front matter is larger than {_LARGEST // 1000} kB")
    read = _READERS.get(form)
    if read is None:
        raise InputError(
            f"{name}, line 1: front matter in {form} is not supported; write it as YAML, TOML or JSON"
        )
    return read(inner, name), text[match.end() :]


def _json_object(text: str, name: str) -> _Found | None:
    """Read an object at the very beginning (Hugo); the text begins after its last brace."""
    if not _OBJECT.match(text):
        return None
    try:
        front, end = json.JSONDecoder(strict=False).raw_decode(text[:_LARGEST])
    except json.JSONDecodeError as error:
        raise _no_json(error, name, 0) from None
    except (ValueError, RecursionError) as error:
        raise _unreadable(error, name, 1) from None
    return front, text[end:].lstrip(" \t").removeprefix("\n")


def _pandoc(text: str, _: str) -> _Found | None:
    """Read a title block: title, authors and date, each after a %; a date in words alone is left out."""
    match = _PANDOC.match(text)
    if match is None:
        return None
    fields = [
        re.sub(r"\n[ \t]+", "\n", one[1:]).strip() for one in re.split(r"^(?=%)", match[0], flags=re.M)[1:]
    ]
    title, authors, date = (*fields, "", "")[:3]
    if not title:
        return None
    names = [" ".join(one.split()) for one in re.split(r"[;\n]", authors)]
    front: Front = {"title": " ".join(title.split()), "author": [one for one in names if one]}
    if date and parse_feed_date(date):
        front["date"] = date
    return front, text[match.end() :]


def _nikola(text: str, _: str) -> _Found | None:
    match = _NIKOLA.match(text)
    if match is None:
        return None
    pairs = (line[3:].partition(":") for line in match["inner"].splitlines())
    front = {key.lower(): value.strip() for key, _, value in pairs if value.strip()}
    return (front, text[match.end() :]) if "title" in front else None


def _unopened(text: str, name: str) -> _Found | None:
    """Read YAML that is only closed (Hexo); one line above `---` is a heading unless it is the title."""
    match = _UNOPENED.match(text)
    if match is None or not all(map(_YAML_LINE.match, match[1].splitlines())):
        return None
    keys = re.findall(r"^([\w.-]+)[ \t]*:", match[1], re.M)
    if not keys or not _is_header(keys) or not match[1].startswith(keys[0]):
        return None
    return _read_yaml(match[1], name, 1), text[match.end() :]


def _lines(text: str, _: str) -> _Found | None:
    """Read lines `Key: value` up to an empty line; an indented line continues the value above it."""
    found: dict[str, str] = {}
    key = ""
    at = 0
    for line in text[:_LARGEST].splitlines(keepends=True):
        at += len(line)
        if not line.strip():
            break
        match = _LINE.fullmatch(line.rstrip())
        if line[:1] in " \t" and key:
            found[key] = f"{found[key]} {line.strip()}".strip()
        elif match is None:
            return None
        else:
            key = re.sub(r"[\s-]+", "_", match[1].lower())
            found[key] = (match[2] or "").strip()
    if not _is_header(list(found)):
        return None
    return {key: _several(key, value) for key, value in found.items() if value}, text[at:]


def _several(key: str, value: str) -> str | list[str]:
    """Return a value, or the list of those that semicolons separate, as Pelican does for names and tags."""
    if key not in ("author", "authors", "tags", "keywords") or ";" not in value:
        return value
    parts = [part.strip() for part in value.split(";") if part.strip()]
    return [given_name_first(part) for part in parts] if key.startswith("author") else parts


def _is_header(keys: list[str]) -> bool:
    """Return whether lines with these keys are a header and no prose: `Note: ...` begins many a text."""
    known = [key.lower() in KNOWN_KEYS for key in keys]
    return bool(known) and known[0] and ("title" in map(str.lower, keys) or sum(known) > 1)


def _flat(front: Front) -> Front:
    """Convert keys to lower case; what Hugo nests in `params` and `taxonomies` counts if nothing else
    does."""
    lowered = {str(key).lower(): value for key, value in front.items()}
    for holder in ("params", "taxonomies", "extra"):
        inner = lowered.get(holder)
        if isinstance(inner, dict):
            lowered = {**{str(key).lower(): value for key, value in inner.items()}, **lowered}
    return lowered


class _PlainLoader(yaml.SafeLoader):
    """Loads YAML without aliases: a few nested ones would expand to gigabytes.

    Only true and false are Booleans, as in YAML 1.2 (10.2.1.2): "No" is a title and "On" a topic.
    """

    yaml_implicit_resolvers = {  # noqa: RUF012 - as the base class declares it
        sign: [(tag, pattern) for tag, pattern in rules if not tag.endswith(":bool") or sign in "tTfF"]
        for sign, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "references (*name) are not supported", mark)
        return super().compose_node(parent, index)


def _read_yaml(text: str, name: str, first_line: int = 2, tries: int = 5) -> Any:
    try:
        return yaml.load(text, _PlainLoader) or {}  # noqa: S506 - a SafeLoader
    except yaml.MarkedYAMLError as error:
        if tries and (quoted := _with_line_quoted(text, error)):
            return _read_yaml(quoted, name, first_line, tries - 1)
        line = (error.problem_mark.line if error.problem_mark else 0) + first_line
        raise InputError(f"{name}, line {line}: the front matter is not YAML: {error.problem}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise _unreadable(error, name, first_line) from None
    except (AttributeError, LookupError, TypeError, OverflowError):  # as PyYAML says of `!!timestamp "soon"`
        why = "a value is not what its tag (!!) says"
        raise InputError(f"{name}, line {first_line}: the front matter cannot be read: {why}") from None


def _with_line_quoted(text: str, error: yaml.MarkedYAMLError) -> str:
    """Return YAML with the value quoted that its author forgot to quote, or "" if it is not that.

    `title: Tide: the return`, `title: "Tide" again` and `author: @ann` are what people write.
    """
    if isinstance(error, yaml.composer.ComposerError) or error.problem_mark is None:
        return ""
    lines = text.split("\n")
    at = error.problem_mark.line
    match = _UNQUOTED.fullmatch(lines[at].rstrip()) if at < len(lines) else None
    if match is None:
        return ""
    doubled = match[2].replace("'", "''")
    lines[at] = f"{match[1]}'{doubled}'"
    return "\n".join(lines)


def _read_toml(text: str, name: str) -> Any:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"line (\d+)", str(error))
        why = one_line(re.sub(r"\s*\(at .*\)$", "", str(error)))
        raise InputError(
            f"{name}, line {int(place[1]) + 1 if place else 2}: the front matter is not TOML: {why}"
        ) from None
    except (ValueError, RecursionError) as error:
        raise _unreadable(error, name, 2) from None


def _read_json(text: str, name: str) -> Any:
    """Read JSON between lines of signs; Hexo leaves out the braces."""
    whole = text if text.lstrip().startswith("{") else f"{{{text.strip().rstrip(',')}}}"
    try:
        return json.loads(whole, strict=False)
    except json.JSONDecodeError as error:
        raise _no_json(error, name, 1) from None
    except (ValueError, RecursionError) as error:
        raise _unreadable(error, name, 2) from None


def _unreadable(error: Exception, name: str, line: int) -> InputError:
    """Return the error for what its form allows and no value can hold, such as a number of 5,000 digits."""
    if isinstance(error, RecursionError):
        return InputError(f"{name}, line {line}: the front matter is nested too deeply")
    why = one_line(str(error).splitlines()[0].partition(";")[0])
    return InputError(f"{name}, line {line}: the front matter cannot be read: {why}")


def _no_json(error: json.JSONDecodeError, name: str, before: int) -> InputError:
    return InputError(
        f"{name}, line {error.lineno + before}: the front matter is not JSON: {one_line(error.msg)}"
    )


_READERS: dict[str, Callable[[str, str], Any]] = {
    "yaml": _read_yaml, "yml": _read_yaml, "toml": _read_toml, "json": _read_json,
}  # fmt: skip
