"""`[[digests]]`: what readers subscribe to."""

import re
from datetime import timedelta

from pydantic import (
    Field,
    model_validator,
)

from digest.errors import SettingsError
from digest.models.cadence import Cadence
from digest.settings.kinds import Duration, Slug, Text, Written
from digest.settings.table import Table

SUBJECT_NAMES = ("title", "lead", "date", "publication")


class DigestSettings(Table):
    """One `[[digests]]`."""

    name: Slug
    title: Text
    topics: tuple[Slug, ...] = ()
    subject: Text = "{title}: {lead}"
    max_articles: int = Field(default=20, ge=1, le=200)
    lookback: Duration = timedelta(days=7)
    carry: Duration = timedelta(days=31)
    cadences: dict[Slug, Written] = Field(min_length=1)

    @model_validator(mode="after")
    def _subject_is_known(self) -> "DigestSettings":
        for name in re.findall(r"\{([^}]*)\}", self.subject):
            if name not in SUBJECT_NAMES:
                raise ValueError(f'subject names "{{{name}}}"; known are {", ".join(SUBJECT_NAMES)}')
        return self

    def cadence(self, name: str) -> Cadence:
        """Give one of the digest's cadences; raise SettingsError for a name that it does not offer."""
        if name not in self.cadences:
            offered = ", ".join(self.cadences)
            raise SettingsError(f'digest "{self.name}" has no cadence "{name}"; it offers {offered}')
        return Cadence.parse(name, self.cadences[name])

    @property
    def default_cadence(self) -> str:
        """Give the cadence of a reader who picks none: the first one written."""
        return next(iter(self.cadences))
