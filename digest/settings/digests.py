"""`[[digests]]`: what readers subscribe to."""

import re
from datetime import date, time, timedelta
from typing import Literal

from pydantic import (
    Field,
    field_validator,
    model_validator,
)

from digest.errors import SettingsError
from digest.models import Approval, Form
from digest.models.cadence import RESERVED, Cadence
from digest.settings.topics import meant
from digest.settings.types import Duration, Prose, QuietHours, Slug, Table, Text, Topic, Written, YearDay

_ANY_DAY = date(2026, 1, 1)  # the day from which the gaps of a cadence are measured
SUBJECT_NAMES = ("title", "lead", "date", "publication")
"""What a subject may name: the digest, the first article, the edition's day, the publication."""

_HALF = re.compile(rf"\{{(?:{'|'.join(SUBJECT_NAMES)})\b|\b(?:{'|'.join(SUBJECT_NAMES)})\}}")


def half_placeholders(subject: str) -> list[str]:
    """List the placeholders of a subject that lack a brace: `["{lead"]` for `"News: {lead"`."""
    return _HALF.findall(re.sub(r"\{[^{}]*\}", " ", subject))


ReaderChoice = Literal["min_articles", "quiet"]
"""What a digest may let readers choose beside cadence, topics and hour."""


def _span(written: str) -> tuple[time, time] | None:
    begin, _, end = written.partition("-")
    return (time.fromisoformat(begin), time.fromisoformat(end)) if end else None


class DigestSettings(Table):
    """One `[[digests]]`."""

    name: Slug
    title: Text
    topics: tuple[Topic, ...] = ()
    template: Slug = "front-page"
    show: Form | None = None
    related: int = Field(default=4, ge=0, le=4)
    subject: Text = "{title}: {lead}"
    max_articles: int = Field(default=20, ge=1, le=200)
    min_articles: int = Field(default=1, ge=1, le=200)
    max_wait: Duration = timedelta(days=7)
    lookback: Duration = timedelta(days=7)
    carry: Duration = timedelta(days=31)
    approval: Approval = Approval.HOLD
    approval_reminder: Duration = timedelta(hours=2)
    skip: tuple[Slug, ...] = ()
    archive: Literal["public", "private"] = "public"
    welcome: Literal["none", "mail", "edition"] = "none"
    welcome_text: Prose | None = None
    closed: tuple[YearDay, ...] = Field(default=(), alias="except")
    gather: Duration = timedelta(minutes=10)
    max_a_day: int = Field(default=6, ge=1, le=96)
    breaking: bool = False
    reader_choices: tuple[ReaderChoice, ...] = ()
    quiet: QuietHours | None = None
    max_lateness: Duration | None = None
    cadences: dict[Slug, Written] = Field(min_length=1)
    about: dict[Slug, Text] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _subject_is_known(self) -> "DigestSettings":
        for name in re.findall(r"\{([^}]*)\}", self.subject):
            if name not in SUBJECT_NAMES:
                raise ValueError(f'subject names "{{{name}}}"; known are {", ".join(SUBJECT_NAMES)}')
        for half in half_placeholders(self.subject):
            raise ValueError(f'subject lacks a brace: write "{{{half.strip("{}")}}}"')
        return self

    @field_validator("cadences")
    @classmethod
    def _names_are_free(cls, written: dict[str, str]) -> dict[str, str]:
        for name in RESERVED:
            if name in written:
                raise ValueError(f'"{name}" is not a name for a cadence: {name}s are sent under it')
        return written

    @model_validator(mode="after")
    def _carry_spans_a_period(self) -> "DigestSettings":
        """Lengthen `carry` to a period, two days and `max_wait`: articles must last until their edition."""
        waits = (
            self.max_wait if self.min_articles > 1 or "min_articles" in self.reader_choices else timedelta()
        )
        gaps = [self.cadence(name).longest_gap(_ANY_DAY) for name in self.cadences]
        self.__dict__["carry"] = max(self.carry, *(gap + waits + timedelta(days=2) for gap in gaps))
        return self

    @model_validator(mode="after")
    def _fewest_fit_in(self) -> "DigestSettings":
        if self.min_articles > self.max_articles:
            raise ValueError(
                f"min_articles = {self.min_articles} is more than max_articles = {self.max_articles}:"
                " no edition could ever have so many"
            )
        return self

    @model_validator(mode="after")
    def _about_names_topics(self) -> "DigestSettings":
        for name in self.about:
            if self.topics and name not in self.topics:
                near = meant(name, self.topics)
                raise ValueError(f'about names "{name}", which is none of its topics{near}')
        return self

    def quiet_hours(self, cadence: Cadence, own: str | None = None) -> tuple[time, time] | None:
        """Return a reader's local hours without messages: their `own`, else the digest's.

        "At once" leaves the night free unless either says otherwise.
        """
        written = own if own is not None else self.quiet
        return _span(("22:00-07:00" if cadence.is_at_once else "") if written is None else written)

    def news_quiet_hours(self, own: str | None) -> tuple[time, time] | None:
        """Return a reader's local hours without breaking news; the night is free only where that was set."""
        return _span(own if own is not None else self.quiet or "")

    def fewest(self, own: int | None) -> int:
        """Return how many articles must be new for a reader to get an edition: their `own`, if it is more."""
        return max(self.min_articles, min(own or 1, self.max_articles))

    def lookback_of(self, cadence: str) -> timedelta:
        """Return how far back a new reader's first edition reaches; "at once" begins at the sign-up."""
        is_at_once = cadence in self.cadences and self.cadence(cadence).is_at_once
        return timedelta() if is_at_once else self.lookback

    @property
    def form(self) -> Form:
        """Return how much of an article is shown if it fits: as configured, else as the look is designed."""
        return self.show or (Form.TITLE if self.template == "headlines" else Form.SUMMARY)

    @property
    def is_public(self) -> bool:
        """Return whether its editions may be read by anybody, in the archive and its feeds."""
        return self.archive == "public"

    def cadence(self, name: str) -> Cadence:
        """Return one of the digest's cadences; raise SettingsError for a name that it does not offer."""
        if name not in self.cadences:
            offered = ", ".join(self.cadences)
            raise SettingsError(f'digest "{self.name}" has no cadence "{name}"; it offers {offered}')
        return Cadence.parse(name, self.cadences[name], frozenset(self.closed))

    @property
    def default_cadence(self) -> str:
        """Return the cadence of a reader who chooses none: the first one configured."""
        return next(iter(self.cadences))
