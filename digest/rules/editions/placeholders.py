"""What is filled in where editors write, and what they may not write: other placeholders, and pictures."""

import re
from collections.abc import Mapping

from digest.settings.digests import SUBJECT_NAMES, half_placeholders

_NOTICE = "{correction}"
_NOTICE_HEADS = (f"**{_NOTICE}**", f"**[{_NOTICE}](<")
_MARKS = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|&~])")
_NAMED = re.compile(r"\{(\w+)\}")
_BRACES = re.compile(r"\{{1,2}[\w .:!<>^-]{0,40}\}{1,2}")
_CODE = re.compile(r"```.*?```|`[^`\n]*`", re.S)


def fill_subject(form: str, values: Mapping[str, str]) -> str:
    """Fill a subject in one pass, so that braces in an article's title stay as they are.

    `fill_subject("{title}: {lead}", {"title": "Harbour", "lead": "A {new} bridge"})` is
    `"Harbour: A {new} bridge"`.
    """
    return _NAMED.sub(lambda place: values.get(place[1], place[0]), form)


def unknown_in_subject(subject: str) -> list[str]:
    """List what nothing is filled in for: words in braces, and placeholders that lack a brace.

    `unknown_in_subject("{titel}: {lead")` is `["{titel}", "{lead"]`.
    """
    known = {f"{{{name}}}" for name in SUBJECT_NAMES}
    found = [one for one in _BRACES.findall(subject) if one not in known]
    return list(dict.fromkeys(found + half_placeholders(subject)))


def unresolved_in_text(text: str) -> list[str]:
    """List the words in braces of a text for readers, where nothing is filled in; code is left alone."""
    return list(dict.fromkeys(_BRACES.findall(_CODE.sub(" ", text))))


def write_notice(url: str, text: str) -> str:
    """Return a correction as Markdown; its heading, a link where there is a URL, is left to be filled in.

    `write_notice("https://a.example/b", "Two lanes.")` is
    `"**[{correction}](<https://a.example/b>)**\\n\\nTwo lanes."`.
    """
    heading = f"[{_NOTICE}](<{url}>)" if url else _NOTICE
    return f"**{heading}**\n\n{text}"


def is_notice(introduction: str) -> bool:
    """Return whether the heading of a correction is to be filled in."""
    return introduction.startswith(_NOTICE_HEADS)


def fill_notice(introduction: str, heading: str) -> str:
    """Fill in the heading of a correction, as plain text."""
    return introduction.replace(_NOTICE, _MARKS.sub(r"\\\1", " ".join(heading.split())), 1)
