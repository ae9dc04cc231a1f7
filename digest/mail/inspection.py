"""Read a composed message as a mail client does, for preflight."""

import re
from email import message_from_bytes, policy
from html.parser import HTMLParser
from typing import Any

from digest.rules.editions.preflight_facts import MessageFacts, ProofImage

_ACTIVE = frozenset({"script", "iframe", "object", "embed", "form", "input", "video", "audio", "svg", "link"})
_UNSEEN = frozenset({"style", "title", "head"})
_VOID = frozenset({"img", "br", "hr", "meta", "link", "input", "col", "wbr"})
_ANGLED = re.compile(r"<(https?://[^>\s]+)>")


def inspect(content: bytes) -> MessageFacts:
    """Return the facts about a message."""
    message = message_from_bytes(content, policy=policy.default)
    html_part: Any = message.get_body(("html",))
    text_part = message.get_body(("plain",))
    html, text = _decoded(html_part), _decoded(text_part)
    page = _PageReader()
    page.feed(html)
    page.close()
    leave = _ANGLED.search(" ".join(str(message.get("List-Unsubscribe", "")).split()))
    return MessageFacts(
        subject=str(message.get("Subject", "")),
        preheader=" ".join("".join(page.preheader).split()),
        html=html,
        html_text=" ".join("".join(page.words).split()),
        text=text,
        links=tuple(page.links),
        pictures=tuple(page.pictures),
        active=tuple(sorted(page.active)),
        size=len(html.encode()),
        encoded_size=len(html_part.get_payload().encode()) if html_part else 0,
        leave_url=leave[1] if leave else "",
        one_click=message.get("List-Unsubscribe-Post") == "List-Unsubscribe=One-Click",
    )


def words_of(html: str) -> str:
    """Return the text of a page, with its title."""
    page = _PageReader(unseen=frozenset({"style"}))
    page.feed(html)
    page.close()
    return " ".join("".join(page.words).split())


def _decoded(part: Any) -> str:
    return str(part.get_content()) if part is not None else ""


class _PageReader(HTMLParser):
    """Collects a page's text, links, images and active content."""

    def __init__(self, unseen: frozenset[str] = _UNSEEN) -> None:
        super().__init__(convert_charrefs=True)
        self.links: list[str] = []
        self.pictures: list[ProofImage] = []
        self.words: list[str] = []
        self.preheader: list[str] = []
        self.active: set[str] = set()
        self._unseen = unseen
        self._open: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Handle a start tag."""
        known = dict(attrs)
        self._note_active(tag, known)
        href = known.get("href") if tag == "a" else None
        if href:
            self.links.append(href)
        if tag == "img":
            self.pictures.append(ProofImage(known.get("src") or "", known.get("alt")))
        if tag not in _VOID:
            self._open.append((tag, "preheader" in (known.get("class") or "").split()))

    def handle_endtag(self, tag: str) -> None:
        """Close the nearest element of that name, and any element that is open inside it."""
        for place in range(len(self._open) - 1, -1, -1):
            if self._open[place][0] == tag:
                del self._open[place:]
                return

    def handle_data(self, data: str) -> None:
        """Collect text."""
        if any(tag in self._unseen or tag == "script" for tag, _ in self._open):
            return
        self.words.append(data + " ")
        if any(is_preheader for _, is_preheader in self._open):
            self.preheader.append(data)

    def _note_active(self, tag: str, known: dict[str, str | None]) -> None:
        if tag in _ACTIVE:
            self.active.add(f"<{tag}>")
        for name, value in known.items():
            if name.startswith("on"):
                self.active.add(f"{name}=")
            if (value or "").strip().lower().startswith("javascript:"):
                self.active.add("javascript:")
