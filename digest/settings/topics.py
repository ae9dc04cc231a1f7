"""`[[topics]]`: which articles get a topic, besides those whose source or author names it."""

import difflib
import re
from collections.abc import Collection
from typing import Annotated

from pydantic import BeforeValidator, Field, model_validator

from digest.settings.types import Table, Topic

_WORDS = re.compile(r"[^\W_][^*\n]*\*?")
_MOST = 200
_NEAR = 0.8


def _category(value: object) -> object:
    if not isinstance(value, str) or not any(sign.isalnum() for sign in value):
        raise ValueError("must be a category's name, as feeds write it")
    return value


def _place(value: object) -> object:
    if not isinstance(value, str) or not value.startswith(("/", "https://", "http://")) or " " in value:
        raise ValueError(
            'must begin with "/" or "https://", as in "/sport/*" or "https://sport.example.org/*"'
        )
    return value


def _words(value: object) -> object:
    if not isinstance(value, str) or not _WORDS.fullmatch(value.strip()):
        raise ValueError('must be words, as in "world cup"; a * may end them, as in "elect*"')
    return value.strip()


Category = Annotated[str, BeforeValidator(_category), Field(max_length=_MOST)]
Place = Annotated[str, BeforeValidator(_place), Field(max_length=_MOST)]
Words = Annotated[str, BeforeValidator(_words), Field(max_length=_MOST)]


class TopicSettings(Table):
    """One `[[topics]]`; an article gets it if any of its rules matches.

    `title` holds words, not patterns, so that no text in a feed can make matching slow.
    """

    name: Topic
    categories: tuple[Category, ...] = ()
    url: tuple[Place, ...] = ()
    title: tuple[Words, ...] = ()

    @model_validator(mode="after")
    def _has_a_rule(self) -> "TopicSettings":
        if not (self.categories or self.url or self.title):
            raise ValueError("has no rule: give it categories, url or title")
        return self


def meant(topic: str, known: Collection[str]) -> str:
    """Return `; did you mean "world"?` for a misspelt topic; "" if none is near."""
    close = difflib.get_close_matches(topic, sorted(known), n=1, cutoff=_NEAR)
    return f'; did you mean "{close[0]}"?' if close else ""
