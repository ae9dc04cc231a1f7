"""What a reader typed into a form of choices, laid over what is kept, so that a mistake loses nothing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from digest.mail.rendering.catalogues import Catalogues
from digest.models import MailForm, SubscriptionState
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

    def has_pause(self, one: DigestChoice | Preferences) -> bool:
        """Return whether a pause is typed that is not kept, or the end of one that is."""
        return self.pause(one.digest.name).differs(paused=one.state == SubscriptionState.PAUSED)

    @property
    def has_wrong_day(self) -> bool:
        """Return whether a day on which a pause shall end cannot be taken."""
        return any(one.wrong for one in self.pauses.values())


def read_number(text: str) -> int | None:
    """Return the number in a form field, such as an hour; None for the usual one."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 3 else None


def read_zone(form: Submitted, kept: str | None) -> str | None:
    """Return the time zone that a form names; None for the publication's.

    One that is `kept` may be none that pages offer, such as UTC.
    """
    zone = form.get("timezone")
    return zone if zone in ZONES or zone == kept else None


def read_language(form: Submitted, kept: str | None, catalogues: Catalogues) -> str | None:
    """Return the language that a form names; None for the publication's.

    One that is `kept` may have no catalogue of its own, such as pt-BR.
    """
    language = form.get("language")
    return language if language and language == kept else catalogues.find(language)


def read_name(form: Submitted, kept: str) -> str:
    """Return the name that a form has; one that is `kept` may be longer than one typed here."""
    name = form.get("name")
    return kept if name == kept else printable(name)[:LONGEST_NAME].strip()


def list_typed(form: Submitted, page: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Return those fields of a form that the page of a reader of these digests has."""
    kinds = (
        "cadence", "topics", "breaks", "breaking", "hour", "most", "fewest", "quiet", "form", "pause",
    )  # fmt: skip
    names = {"digest", "name", "language", "timezone", "address"}
    for digest in page:
        names |= {f"pause-{digest}-date", *(f"{kind}-{digest}" for kind in kinds)}
    return form.pairs(names)


def read_wish(form: Submitted, one: DigestChoice, now: datetime, zone: str) -> Wish:
    """Return what the form of a reader's page wants of a digest; raise InputError for a wrong day.

    Where a digest offers no topics the page shows none, and the reader's stay.
    """
    digest = one.digest.name
    paused, until = read_pause(form, f"pause-{digest}", now, zone)
    choices = read_choices(form, digest, alone=False)
    return Wish(
        is_wanted=digest in form.list("digest"),
        choices=choices if one.digest.topics else replace(choices, topics=one.topics),
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


def is_whole(form: Submitted) -> bool:
    """Return whether a form has the choices of a reader's page, not an address alone."""
    return form.has("timezone")


def retype_page(
    page: ReaderPage, form: Submitted, now: datetime, zone: str, catalogues: Catalogues
) -> tuple[ReaderPage, TypedChoices]:
    """Return a reader's page with what its form has in place of what is kept."""
    names = [one.digest.name for one in page.digests]
    shown = replace(
        page,
        name=read_name(form, page.name),
        language=read_language(form, page.language, catalogues),
        timezone=read_zone(form, page.timezone),
        digests=tuple(_retype(one, form) for one in page.digests),
    )
    pauses = {name: retype_pause(form, f"pause-{name}", now, zone) for name in names}
    return shown, TypedChoices(frozenset(form.list("digest")), pauses, form.get("address"))


def differs(page: ReaderPage, shown: ReaderPage, typed: TypedChoices) -> bool:
    """Return whether a form has other choices than those that are kept; its address does not count."""
    active = {one.digest.name for one in page.digests if one.is_active}
    return shown != page or set(typed.ticked or ()) != active or any(map(typed.has_pause, page.digests))


def _retype(one: DigestChoice, form: Submitted) -> DigestChoice:
    name = one.digest.name
    chosen = read_choices(form, name, alone=False)
    offered = {USUAL: None, NONE: "", **{span: span for span in QUIET}}
    fewest = f"fewest-{name}"
    return replace(
        one,
        cadence=chosen.cadence,
        topics=_in_order(chosen.topics, one.topics) if one.digest.topics else one.topics,
        breaking=one.breaking if chosen.breaking is None else chosen.breaking,
        hour=read_number(form.get(f"hour-{name}")),
        most=read_number(form.get(f"most-{name}")),
        form=form.get(f"form-{name}"),
        fewest=read_number(form.get(fewest)) if form.has(fewest) else one.fewest,
        quiet=offered.get(form.get(f"quiet-{name}"), one.quiet),
    )


def _in_order(typed: tuple[str, ...], kept: tuple[str, ...]) -> tuple[str, ...]:
    """Return the topics of a form, in the order in which they are kept if they are the same."""
    return kept if set(typed) == set(kept) else typed


def retype_preferences(
    found: Preferences, form: Submitted, now: datetime, zone: str
) -> tuple[Preferences, TypedChoices]:
    """Return a subscription's preferences with what their form has in place of what is kept."""
    breaking = read_breaking(form, "p")
    shown = replace(
        found,
        cadence=form.get("cadence"),
        topics=_in_order(form.list("topics"), found.topics) if found.digest.topics else found.topics,
        hour=read_number(form.get("hour")),
        breaking=found.breaking if breaking is None else breaking,
    )
    return shown, TypedChoices(pauses={found.digest.name: retype_pause(form, "pause", now, zone)})
