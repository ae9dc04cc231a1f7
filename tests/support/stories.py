"""The corpus of story pairs: what each pair is stands before the first - of its file's name."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from digest.rules.articles.duplicates import StoryText

FOLDER = Path(__file__).parents[1] / "corpus" / "stories"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two texts: "fold" and "apart" of two sources, "edit" and "new" at one address."""

    name: str
    kind: str
    first: StoryText
    second: StoryText


def pairs(*kinds: str) -> list[Pair]:
    """Read the pairs of these kinds."""
    found = []
    for path in sorted(FOLDER.glob("*.toml")):
        kind = path.stem.partition("-")[0]
        if kind in kinds:
            both = tomllib.loads(path.read_text(encoding="utf-8"))
            found.append(Pair(path.stem, kind, *(StoryText(**both[name]) for name in ("first", "second"))))
    return found
