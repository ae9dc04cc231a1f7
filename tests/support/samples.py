"""Sample content for messages, and strategies that draw what readers and articles may be called."""

import os
from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import strategies as st

from digest.mail.headers import Headers, ReaderHeaders
from digest.mail.rendering.content import Card, Content, Elsewhere, Publication, Section
from digest.models import Form

NOW = datetime(2026, 11, 23, 6, 5, tzinfo=UTC)
POSTAL = "The Harbour Courier, 1 Quay Street, Harbourtown"
LEAD = Card(
    id=1,
    form=Form.SUMMARY,
    title="Old bridge reopens “after nine winters”",
    url="https://courier.example/bridge?a=1&b=2",
    summary="The ferry that replaced it is for sale; nobody has asked the price.",
    image_url="https://courier.example/bridge.jpg",
    image_alt="The bridge, seen from the water",
    author="Elsa Ångström",
    place="HARBOURTOWN",
    topics=("world",),
    published_at=NOW,
    reading_minutes=3,
    language="en",
)
STORIES = (
    Card(
        id=2, form=Form.SUMMARY, title="A sponge older than the sea it lives in", topics=("science",),
        url="https://courier.example/sponge", summary="It has not moved, and says it was right.",
        language="en", also_at=(Elsewhere("The Tide Table", "https://tide.example/sponge?a=1&b=2"),),
    ),
    Card(
        id=3, form=Form.TITLE, title="Der Markt bleibt sonntags offen", topics=("science",),
        url="https://courier.example/markt", summary="Das steht im Text nicht.", language="de",
    ),
    Card(
        id=4, form=Form.FULL, title="The lamplighter’s last round", topics=("culture",),
        url="https://courier.example/lamp", html="<p>He counted <em>each</em> one.</p><p>There were 214.</p>",
        text="He counted each one.\n\nThere were 214.", reading_minutes=1, language="en",
    ),
)  # fmt: skip
CONTENT = Content(
    publication=Publication("The Harbour Courier", "https://courier.example", POSTAL),
    digest="world",
    title="World Briefing",
    cadence="daily",
    period="2026-11-23",
    dated_at=NOW,
    timezone="Europe/Paris",
    language="en",
    subject="World Briefing: Old bridge reopens “after nine winters”",
    preheader="A sponge older than the sea it lives in · The lamplighter’s last round",
    lead=LEAD,
    sections=(Section("Science", STORIES[:2]), Section("Culture", STORIES[2:])),
    left_out=2,
)
ARABIC = replace(
    CONTENT,
    language="ar",
    cadence="يوميًا",
    title="موجز العالم",
    subject="موجز العالم: الجسر القديم يفتح من جديد",
    lead=replace(LEAD, title="الجسر القديم يفتح من جديد", summary="بعد تسعة شتاءات.", language="ar"),
)
VALUES = {
    "name": "Siobhán O'Brien",
    "address": "siobhan.obrien@readers.example",
    "unsubscribe_url": "https://courier.example/unsubscribe/yQFRDWHYvDu15JrdkSUCEyjQZLqMgNrPQGMQy3i19B7B",
    "preferences_url": "https://courier.example/preferences/yQFRDWHYvDu15JrdkSUCEyjQt_TQmtEIvxGBaz6LLJ4b",
}
HEADERS = Headers(
    from_name="The Harbour Courier",
    from_address="news@courier.example",
    subject=CONTENT.subject,
    list_id="world.courier.example",
    list_name="World Briefing",
    reply_to="editors@courier.example",
    help_url="https://courier.example/",
    owner="editors@courier.example",
    bulk=True,
)

OWN = ReaderHeaders(
    to_name=VALUES["name"],
    to_address=VALUES["address"],
    date=NOW,
    message_id="<8ed9f3e1a5d01b7708c1e0f1d6a4b2c95a3c7e10@courier.example>",
    unsubscribe_url=VALUES["unsubscribe_url"],
)

IS_THOROUGH = bool(os.environ.get("THOROUGH"))


def examples(count: int) -> int:
    """Return how many examples to try a property with: all with THOROUGH=1, otherwise a third.

    Each run draws others, so that those of a few days are as many.
    """
    return count if IS_THOROUGH else max(8, count // 3)


_PARTS = [
    "a", "B", "é", "ñ", "王", "伟", "ليلى", "נועה", "Անի", "😀", "👩‍👩‍👧", " ", "  ",
    ".", "=", "=?utf-8?q?x?=", ",", "<", ">",
    "&", "&amp;", '"', "'", "\\", "@", ";", ":", "(", ")", "\t", "\r", "\n", "\r\n",
    "\r\nBcc: x@y.example", "\x00",
    "\x1b[31m", "\u2028", "\u202e", "\u00a0", "\u200f", "{{ 7 * 7 }}", "{% raw %}", "{name}", "qzSLOTNAMEzq",
    "<script>alert(1)</script>", "From ", ".\r\n", "x" * 80, "ü" * 50, "--", "=_",
]  # fmt: skip
hostile_text = st.lists(st.sampled_from(_PARTS) | st.text(max_size=5), max_size=12).map("".join)
"""What a feed, a reader or an import may bring: every script, every mark, and what tries to break out."""
