"""What a reader typed into a form of choices, laid over what is kept, so that a mistake loses nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from digest.models import MailForm
from digest.safe_text import printable
from digest.tasks.readers.preferences import Preferences
from digest.tasks.readers.reader_page import DigestChoice, ReaderPage, Wish
from digest.tasks.readers.rhythm import NONE, USUAL, Rhythm
from digest.web.public.pauses import TypedPause, read_pause, retype_pause
from digest.web.public.sign_up import read_breaking, read_choices
from digest.web.shared.forms import Submitted
from digest.web.shared.views import QUIET, ZONES, mark

LONGEST_NAME = 100
WRONG_DAY = mark("Pick a day within the next two years.")
WRONG_CHOICES = mark("Please check your choices.")


@dataclass(frozen=True, slots=True)
class TypedChoices:
    """What of a form is kept nowhere: which digests are ticked, what is typed about pauses, an address."""

    ticked: frozenset[str] | None = None
    pauses: Mapping[str, TypedPause] = field(default_factory=dict)
    address: str = ""

    def has(self, digest: str, *, kept: bool) -> bool:
        """Return whether a digest's box is ticked; `kept` if nothing was typed."""
        return kept if self.ticked is None else digest in self.ticked

    def pause(self, digest: str) -> TypedPause:
        """Return what is typed about a digest's pause."""
        return self.pauses.get(digest, TypedPause())

    @property
    def has_wrong_day(self) -> bool:
        """Return whether a day on which a pause shall end cannot be taken."""
        return any(one.wrong for one in self.pauses.values())


def read_number(text: str) -> int | None:
    """Return the number in a form field, such as an hour; None for the usual one."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 2 else None


def read_zone(form: Submitted) -> str | None:
    """Return the time zone that a form names; None for the publication's."""
    return form.get("timezone") if form.get("timezone") in ZONES else None


def read_name(form: Submitted) -> str:
    """Return the name that a form has."""
    return printable(form.get("name"))[:LONGEST_NAME].strip()


def read_wish(form: Submitted, digest: str, now: datetime, zone: str) -> Wish:
    """Return what the form of a reader's page wants of a digest; raise InputError for a wrong day."""
    paused, until = read_pause(form, f"pause-{digest}", now, zone)
    return Wish(
        is_wanted=digest in form.list("digest"),
        choices=read_choices(form, digest, alone=False),
        hour=read_number(form.get(f"hour-{digest}")),
        most=read_number(form.get(f"most-{digest}")),
        form=form.get(f"form-{digest}") or MailForm.PICTURES,
        rhythm=Rhythm(
            read_breaking(form, digest),
            read_number(form.get(f"fewest-{digest}")) or 0 if form.has(f"fewest-{digest}") else None,
            form.get(f"quiet-{digest}") or None,
        ),
        paused=paused,
        until=until,
    )


def retype_page(
    page: ReaderPage, form: Submitted, now: datetime, zone: str, language: str | None
) -> tuple[ReaderPage, TypedChoices]:
    """Return a reader's page with what its form has in place of what is kept."""
    names = [one.digest.name for one in page.digests]
    shown = replace(
        page,
        name=read_name(form),
        language=language,
        timezone=read_zone(form),
        digests=tuple(_retype(one, form) for one in page.digests),
    )
    pauses = {name: retype_pause(form, f"pause-{name}", now, zone) for name in names}
    return shown, TypedChoices(frozenset(form.list("digest")), pauses)


def _retype(one: DigestChoice, form: Submitted) -> DigestChoice:
    name = one.digest.name
    chosen = read_choices(form, name, alone=False)
    offered = {USUAL: None, NONE: "", **{span: span for span in QUIET}}
    fewest = f"fewest-{name}"
    return replace(
        one,
        cadence=chosen.cadence,
        topics=chosen.topics,
        breaking=one.breaking if chosen.breaking is None else chosen.breaking,
        hour=read_number(form.get(f"hour-{name}")),
        most=read_number(form.get(f"most-{name}")),
        form=form.get(f"form-{name}"),
        fewest=read_number(form.get(fewest)) if form.has(fewest) else one.fewest,
        quiet=offered.get(form.get(f"quiet-{name}"), one.quiet),
    )


def retype_preferences(
    found: Preferences, form: Submitted, now: datetime, zone: str
) -> tuple[Preferences, TypedChoices]:
    """Return a subscription's preferences with what their form has in place of what is kept."""
    breaking = read_breaking(form, "p")
    shown = replace(
        found,
        cadence=form.get("cadence"),
        topics=form.list("topics"),
        hour=read_number(form.get("hour")),
        breaking=found.breaking if breaking is None else breaking,
    )
    return shown, TypedChoices(pauses={found.digest.name: retype_pause(form, "pause", now, zone)})
