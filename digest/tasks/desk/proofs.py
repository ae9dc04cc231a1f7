"""Proofs: an edition as a given reader would get it, mailed to an editor, with links to approve and to hold.

The links are bound to the edition, the version of its draft, and the editor. They expire at the next period's
deadline, when an edition that still waits is skipped.
"""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from digest.errors import InputError, Unreachable
from digest.mail.rendering.drawing import Notice
from digest.models import Approval, EditionName, Editor, Role, Subscriber
from digest.rules.editions import cadence as calendar
from digest.rules.editions.cadence import Occurrence
from digest.rules.moments import parse_moment
from digest.rules.tokens import tokens
from digest.rules.tokens.sealed_values import seal, unseal
from digest.store import editors
from digest.store.editions import drafts
from digest.tasks.desk import drafts as changes
from digest.tasks.desk.agenda import AgendaEntry
from digest.tasks.desk.desk import Desk
from digest.tasks.desk.draft_versions import Edit
from digest.tasks.desk.staff_mail import post
from digest.tasks.editions.preview import Preview, Viewer, preview

_PURPOSE = "desk proof"
_BANNER = (
    "margin:0;padding:12px 16px;background-color:#fff3c4;color:#1d1b18;"
    "font:14px/21px Helvetica,Arial,sans-serif"
)
_BODY = re.compile(r"<body[^>]*>")


class ProofAct(StrEnum):
    """What a proof's link does."""

    APPROVE = "approve"
    HOLD = "hold"


@dataclass(frozen=True, slots=True)
class ProofLink:
    """What a link in a proof does."""

    act: ProofAct
    name: EditionName
    version: int
    editor: Editor


@dataclass(frozen=True, slots=True)
class ProofsSent:
    """The result of a proof to several readers; `empty` are those for whom nothing is new."""

    sent: int
    empty: int
    trouble: str = ""


def look(desk: Desk, entry: AgendaEntry, view: Viewer, at: datetime, *, soon: bool = False) -> Preview:
    """Compose an edition that is not made yet for a reader; raise InputError if it would be empty.

    If it is wanted `soon`, raise StillComparing where related articles take long to find.
    """
    return preview(
        desk.database, desk.settings, desk.composer, entry.digest, cadence=entry.name.cadence, view=view,
        at=at, occurrence=Occurrence(entry.name.period, entry.deadline_at),
        compare=desk.related.find_soon if soon else desk.related.find,
    )  # fmt: skip


def send_proof(desk: Desk, entry: AgendaEntry, editor: Editor, view: Viewer, now: datetime) -> None:
    """Mail a proof to an editor; raise Unreachable if the relay does not accept it."""
    shown = look(desk, entry, view, moment_of(entry, now))
    lines = _lines(desk, entry, editor)
    said = f"Proof of {entry.name} for {editor.address}. Its readers' links do nothing here."
    notice = _under_banner(shown, said, lines)
    post(desk, notice, f"[Proof] {shown.rendering.subject}", editor.address, f"proof {entry.name}", now)
    with desk.database.write() as session:
        drafts.note(session, entry.draft, editor.address, "sent a proof to themselves", now)


def send_proofs(
    desk: Desk, entry: AgendaEntry, readers: Sequence[Subscriber], segment: str, who: str, now: datetime
) -> ProofsSent:
    """Mail a proof to readers, to each their own edition, with a link that unsubscribes.

    Readers for whom nothing is new get none. If the relay refuses one, those after it get none. The edition's
    activity records who sent it to which segment, and how many got it.
    """
    sent, empty, trouble, at = 0, 0, "", moment_of(entry, now)
    for reader in readers:
        try:
            shown = look(desk, entry, Viewer(reader.address), at)
        except InputError:
            empty += 1
            continue
        token = tokens.sign(desk.keys, tokens.UNSUBSCRIBE, reader.public_id, entry.name.digest)
        lines = [("Unsubscribe", f"{desk.settings.site.base_url}/unsubscribe/{token}")]
        said = f"Proof of {entry.digest.title}, before it is sent. Its other personal links do nothing here."
        notice = _under_banner(shown, said, lines)
        mark = f"proof {entry.name} {entry.draft.version}"
        try:
            post(desk, notice, f"[Proof] {shown.rendering.subject}", reader.address, mark, now)
        except Unreachable as error:
            trouble = str(error)
            break
        sent += 1
    if sent:
        said = f"sent a proof to {sent} reader{'' if sent == 1 else 's'} of the segment “{segment}”"
        with desk.database.write() as session:
            drafts.note(session, entry.draft, who, said, now)
    return ProofsSent(sent, empty, trouble)


def find_proof_link(desk: Desk, token: str, now: datetime) -> ProofLink | None:
    """Return what a proof's link does, while it is valid and its editor's role still allows it."""
    values = unseal(desk.keys, _PURPOSE, token)
    if values is None:
        return None
    act, digest, cadence, period, version, public_id, ends = values
    with desk.database.read() as session:
        editor = editors.find_known(session, public_id)
    if editor is None or now >= datetime.fromisoformat(ends):
        return None
    if act == ProofAct.APPROVE and not Role(editor.role).includes(Role.PUBLISHER):
        return None
    return ProofLink(ProofAct(act), EditionName(digest, cadence, period), int(version), editor)


def follow_proof_link(desk: Desk, offer: ProofLink, now: datetime) -> None:
    """Do what a proof's link is for; raise ChangedMeanwhile if that would approve another version."""
    edit = Edit(offer.editor.address, offer.name, offer.version, now)
    if offer.act is ProofAct.APPROVE:
        changes.approve(desk, edit)
    else:
        changes.hold(desk, edit)


def _lines(desk: Desk, entry: AgendaEntry, editor: Editor) -> list[tuple[str, str]]:
    """Return the links of a proof; there are none if the edition needs no approval."""
    if entry.digest.approval == Approval.SEND:
        return [("Open it on the desk", desk.settings.site.base_url + entry.name.path)]
    recurrence = entry.digest.cadence(entry.name.cadence)
    ends = calendar.following(recurrence, entry.deadline_at, desk.settings.zone).deadline_at

    def link(act: ProofAct) -> str:
        name, version = entry.name, str(entry.draft.version)
        named = (act.value, name.digest, name.cadence, name.period, version, editor.public_id)
        token = seal(desk.keys, _PURPOSE, *named, ends.isoformat())
        return f"{desk.settings.site.base_url}/desk/proof/{token}"

    approve = [("Approve it", link(ProofAct.APPROVE))] if Role(editor.role).includes(Role.PUBLISHER) else []
    return [*approve, ("Hold it", link(ProofAct.HOLD))]


def _under_banner(shown: Preview, said: str, lines: list[tuple[str, str]]) -> Notice:
    page, text = shown.parts(inert=True)
    bannered = _BODY.sub(lambda body: body[0] + _banner(said, lines), page, count=1)
    return Notice(bannered, _head(said, lines, text))


def _banner(said: str, lines: list[tuple[str, str]]) -> str:
    links = " · ".join(
        f'<a style="color:#8c1d18;font-weight:bold" href="{html.escape(url)}">{html.escape(words)}</a>'
        for words, url in lines
    )
    return f'<div style="{_BANNER}">{html.escape(said)}<br>{links}</div>'


def _head(said: str, lines: list[tuple[str, str]], text: str) -> str:
    links = "\n".join(f"{words}:\n{url}" for words, url in lines)
    return f"{said}\n\n{links}\n\n{'=' * 72}\n\n{text}"


def moment_of(entry: AgendaEntry, now: datetime) -> datetime:
    """Return the time as of which an edition is shown: its deadline, or now if that has passed."""
    return max(now, entry.deadline_at)


def read_moment(desk: Desk, written: str, otherwise: datetime) -> datetime:
    """Parse the time of a preview; without an offset it is in the publication's time zone."""
    if not written:
        return otherwise
    try:
        return parse_moment(written, desk.settings.zone)
    except (ValueError, OverflowError):
        raise InputError(f'"{written}" is not a time; write 2026-11-23T07:00') from None
