"""Replace short codes such as `:rocket:`, as GitHub and chats write them, by the emoji they name."""

import re
from functools import cache
from unicodedata import east_asian_width

from anyascii import anyascii

_CODE = re.compile(r"(?<![\w:]):([a-z0-9_+-]{1,40}):(?![\w:])")
_BLOCKS = (range(0x2190, 0x2C00), range(0x1F000, 0x1FB00))
# Names that GitHub and Slack use beside those of the table.
_OTHERS = {
    "+1": "👍", "-1": "👎", "hankey": "💩", "satisfied": "😆", "memo": "📝", "email": "📧", "e-mail": "📧",
    "runner": "🏃", "car": "🚗", "moon": "🌔", "boat": "⛵", "collision": "💥", "honeybee": "🐝",
    "facepunch": "👊", "lantern": "🏮", "heavy_exclamation_mark": "❗", "gb": "🇬🇧", "uk": "🇬🇧",
    "us": "🇺🇸", "eu": "🇪🇺", "rainbow_flag": "\U0001f3f3\ufe0f\u200d\U0001f308", "hash": "#\ufe0f\u20e3",
    **{name: f"{digit}\ufe0f\u20e3" for digit, name in enumerate(
        ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"))},
}  # fmt: skip
_FLAG = re.compile(r"flag[-_]([a-z])([a-z])")


def with_emoji(text: str) -> str:
    """Return a text with the emoji of its short codes; a code that names none stays."""
    if text.count(":") < 2:
        return text
    return _CODE.sub(lambda code: _emoji(code[1]) or code[0], text)


def _emoji(name: str) -> str | None:
    if flag := _FLAG.fullmatch(name):
        return "".join(chr(0x1F1E6 + ord(letter) - ord("a")) for letter in flag.groups())
    return _OTHERS.get(name) or _named().get(name)


@cache
def _named() -> dict[str, str]:
    """Return the emoji by their names; one that is text by default gets the sign that makes it a picture."""
    found: dict[str, str] = {}
    for char in (chr(point) for block in _BLOCKS for point in block):
        name = anyascii(char).strip()
        if len(name) > 2 and name[0] == name[-1] == ":":
            found.setdefault(name[1:-1], char if east_asian_width(char) == "W" else f"{char}\ufe0f")
    return found
