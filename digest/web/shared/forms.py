"""Forms: read completely and within limits, and stamped with their page and time."""

from collections.abc import Container, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import Depends, Request
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

from digest.rules.tokens import sealed_values
from digest.web.shared.views import LANGUAGE, OTHER_LANGUAGE, mark

STAMP, TRAP = "form", "website"
SIGN_UP = "sign-up"
_LIFE = timedelta(hours=24)
_MOST_FIELDS, _LONGEST = 500, 500
_STAMPED = "form stamp"


async def _read_form(request: Request) -> "Submitted":
    return Submitted(await request.form(max_files=0, max_fields=_MOST_FIELDS))


class Submitted:
    """A posted form; a field is text of at most 500 characters, and files are ignored."""

    def __init__(self, form: FormData) -> None:
        self._form = form

    def get(self, name: str, default: str = "") -> str:
        """Return a field's text."""
        return _text(self._form.get(name, default))

    def list(self, name: str) -> tuple[str, ...]:
        """Return the texts of a field that may occur more than once."""
        return tuple(_text(value) for value in self._form.getlist(name))

    def has(self, name: str) -> bool:
        """Return whether a field was sent, even if empty."""
        return name in self._form

    @property
    def language(self) -> str:
        """Return the language that a button of the form picks, else that of its page."""
        return self.get(OTHER_LANGUAGE) or self.get(LANGUAGE)

    @property
    def turns(self) -> bool:
        """Return whether the form is sent to be shown in another language, and saves nothing."""
        return self.has(OTHER_LANGUAGE)

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]]) -> "Submitted":
        """Return a form of these fields."""
        return cls(FormData(list(pairs)))

    def pairs(self, names: Container[str]) -> tuple[tuple[str, str], ...]:
        """Return those fields that have one of the names, each text of a name once."""
        found = ((name, _text(value)) for name, value in self._form.multi_items() if name in names)
        return tuple(dict.fromkeys(found))


Posted = Annotated[Submitted, Depends(_read_form)]


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST:
        raise HTTPException(400, "This form cannot be read.")
    return value


class Stamps:
    """Form tokens: sealed with the form's page and the time when it was shown.

    They need no cookie. A page with a token in its URL is known only by that link, so a stranger cannot make
    its form; the sign-up's stamp says how long filling it in took.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = keys

    def make(self, page: str, now: datetime) -> str:
        """Return the stamp for a form on a page."""
        return sealed_values.seal(self._keys, _STAMPED, page, now.isoformat())

    def age(self, page: str, stamp: str, now: datetime) -> timedelta | None:
        """Return how long ago a form was shown; None for another page's stamp or one too old."""
        values = sealed_values.unseal(self._keys, _STAMPED, stamp)
        if values is None or values[0] != page:
            return None
        age = now - datetime.fromisoformat(values[1])
        return age if timedelta() <= age < _LIFE else None

    def is_fresh(self, page: str, form: Submitted, now: datetime) -> bool:
        """Return whether a form has a valid stamp of its page."""
        return self.age(page, form.get(STAMP), now) is not None


UNSAVED = mark("Your other changes are not saved yet: press “{button}”.")
ONCE_MORE = mark("This page was open for a long time. Please check it and press the button once more.")
