"""Parse and shorten lists of people's names."""

import re

_PARTS = re.compile(r"(\s*[,;]\s+|\s+(?:and|und|et|y|e|и|&)\s+)")
_INITIALS = re.compile(r"(?:[^\W\d_]{1,2}\.?[ -]?){1,4}")
_MAIL = re.compile(r"(?:mailto:)?[^\s<>()@,;]+@[^\s<>()@,;]+")
_PAGE = re.compile(r"https?://\S+")
_BY = re.compile(r"(?:[Bb]y|BY):?\s+(?=[^\W\d_]*[A-Z])")
_NOBODY = frozenset(
    ("unknown", "admin", "administrator", "anonymous", "webmaster", "noreply", "no-reply", "wordpress")
)
_SURROUNDED = re.compile(r"\((.*)\)|<(.*)>|\[(.*)\]", re.S)


def named(written: str) -> str:
    """Return the name in `ann@b.example (Ann Quay)`, `Ann Quay <ann@b.example>` or the name alone.

    Only brackets around the whole are removed: `Ann Quay (now), Bo Reed (earlier)` keeps its own. What a
    program writes for nobody, such as `noreply@blogger.com (Unknown)`, is no name.
    """
    name = _MAIL.sub(" ", written) if "@" in written else written
    name = re.sub(r"\(\s*\)|<\s*>|\[\s*\]", " ", name).strip(" ,;")
    while (match := _SURROUNDED.fullmatch(name)) and not _is_split(
        inner := next(filter(None, match.groups()), "")
    ):
        name = inner.strip()
    name = _BY.sub("", " ".join(name.split()))
    return "" if name.casefold() in _NOBODY or _PAGE.fullmatch(name) else name


def given_name_first(name: str) -> str:
    """Return one person's name without its comma: `Quay, Ann` is `Ann Quay`, and so is `Quay, Ann, Jr.` with
    its suffix last."""
    surname, *rest = [part.strip() for part in name.split(",")]
    if not rest or not surname or not rest[0] or len(rest) > 2:
        return name
    return " ".join((rest[0], surname, *rest[1:]))


def joined_names(names: list[str]) -> str:
    """Join names in order, each once, ignoring case."""
    once: dict[str, str] = {}
    for name in filter(None, names):
        once.setdefault(name.casefold(), name)
    return ", ".join(once.values())


def cut_names(line: str, limit: int) -> str:
    """Cut a list of names to a limit after a whole name, with a mark that more follow.

    A surname and the initials after it are one name: `Quay, A., Reed, B.`.
    """
    if len(line) <= limit:
        return line
    parts = _PARTS.split(line)
    kept = ""
    for at in range(2, len(parts), 2):
        if _INITIALS.fullmatch(parts[at]):
            continue
        before = "".join(parts[: at - 1])
        if len(before) + 3 > limit:
            break
        kept = before
    return f"{kept}, …" if kept else f"{line[: limit - 1].rstrip()}…"


def _is_split(inner: str) -> bool:
    """Return whether the outer brackets are two pairs: `(a) b (c)`."""
    depth = 0
    for char in inner:
        depth += (char in "([<") - (char in ")]>")
        if depth < 0:
            return True
    return False
