"""For the site: what lies outside docs/ is named, not linked; on a forge the same links lead to the file."""

import re
from typing import Any

_OUTSIDE = re.compile(r"\[([^\]]+)\]\(\.\./[^)]*\)")


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Replace links that leave docs/ by the name of the file."""
    return _OUTSIDE.sub(r"`\1`", markdown)
