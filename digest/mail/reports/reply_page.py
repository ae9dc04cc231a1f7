"""Convert the HTML of a reply to text in which what is quoted can be told from the writer's own words.

Mail programs mark what they quote by elements: a `blockquote` of their own, or a block that begins the former
message and has no end. Each quoted line gets ">" before it, and what is marked by a beginning alone gets a
divider, so that `reply_text` separates HTML as it separates text.
"""

import html
import re

from digest.mail.reports.failure_text import without_element
from digest.mail.reports.parts import MOST_TEXT

DIVIDER = "-----Original Message-----"
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9:]{0,20})((?:[^<>\"']|\"[^\"<>]{0,2000}\"|'[^'<>]{0,2000}')*+)>")
_DECLARATION = re.compile(r"<[!?][^<>]{0,2000}>")
_BLOCK = re.compile(
    r"address|article|blockquote|body|br|center|d[dlt]|div|footer|form|h[1-6r]|header|li|main|[ou]l|p|pre|section|table|t[dr]"
)
_VOID = re.compile(r"area|base|br|col|hr|img|input|link|meta|wbr")
_QUOTES = re.compile(
    r"\b(gmail_quote|gmail_extra_quote|yahoo_quoted|yahoo-quoted|moz-forward-container|protonmail_quote|tutanota_quote"
    r"|zmail_extra|mailbox_signature_quote|hey_quote|mail_?quote|quoted-?mail)\b|(class|id)=[\"']?(quote|email_quote|reply_?body)\b",
    re.I,
)
_CITED = re.compile(
    r"type=[\"']?cite\b|\b(gmail_quote|cite|moz-[\w-]+|ms-outlook[\w-]*|quote[dr]?)\b|border-left", re.I
)
_ATTRIBUTIONS = re.compile(r"\b(moz-cite-prefix|gmail_attr|AppleOriginalContents-prefix|quoteheader)\b", re.I)
_BEGINS_REST = re.compile(
    r"id=[\"']?(divRplyFwdMsg|appendonsend|x_divRplyFwdMsg|stopSpelling|OLK_SRC_BODY_SECTION|reply-intro"
    r"|mail-editor-reference-message-container|ms-outlook-mobile-body-separator-line|isForwardContent|zwchr|previousmessage)\b"
    r"|(class|name)=[\"']?(OutlookMessageHeader|messageReply|x_OutlookMessageHeader|zwchr)\b|data-marker=[\"']?__HEADERS__"
    r"|border:\s*none;\s*border-top:\s*solid\s+#?(b5c4df|e1e1e1)",
    re.I,
)
_SIGNATURES = re.compile(
    r"\b(gmail_signature|moz-signature|ms-outlook-mobile-signature|protonmail_signature_block-user|AppleMailSignature|iCloudSignature"
    r"|mailbox_signature|yahoo-signature|ymail_android_signature|tutanota_signature)\b|id=[\"']?(x_)?signature\b",
    re.I,
)
_DEEPEST = 200


def to_lines(page: str) -> str:
    """Convert a page to lines, with ">" before what another message contained."""
    return "\n".join(_ReplyLines().read(page[:MOST_TEXT]))


class _ReplyLines:
    """The lines that are complete, the one that is being written, and the elements that are open."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.now: list[str] = []
        self.open: list[tuple[str, bool]] = []
        self.depth = 0

    def read(self, page: str) -> list[str]:
        for name in ("style", "script", "head", "title"):
            page = without_element(page, name)
        place = 0
        page = _DECLARATION.sub(" ", _without_comments(page))
        for match in _TAG.finditer(page):
            self.now.append(page[place : match.start()])
            place = match.end()
            self.tag(match[2].lower(), match[3], closing=bool(match[1]))
        self.now.append(page[place:])
        self.end_line()
        return self.done

    def tag(self, name: str, attributes: str, *, closing: bool) -> None:
        if _BLOCK.fullmatch(name):
            self.end_line(spaced=name in ("p", "blockquote", "br") and not closing)
        if closing:
            self.close(name)
            return
        if not self.depth and _BEGINS_REST.search(attributes):
            self.done.append(DIVIDER)
        if not self.depth and _SIGNATURES.search(attributes):
            self.end_line()
            self.done.append("-- ")
        quoted = self.is_quote(name, attributes)
        if not _VOID.fullmatch(name) and not attributes.endswith("/") and len(self.open) < _DEEPEST:
            self.open.append((name, quoted))
            self.depth += quoted

    def is_quote(self, name: str, attributes: str) -> bool:
        if name == "blockquote":
            last = next((line for line in reversed(self.done) if line.strip("> ")), "")
            return bool(_CITED.search(attributes)) or bool(self.depth) or last.rstrip().endswith((":", "："))
        marked = _QUOTES.search(attributes) or _ATTRIBUTIONS.search(attributes)
        return name in ("div", "section", "table", "span") and bool(marked)

    def close(self, name: str) -> None:
        """Close the innermost element of that name, and those inside it that were left open."""
        for place in range(len(self.open) - 1, -1, -1):
            if self.open[place][0] == name:
                self.depth -= sum(quoted for _, quoted in self.open[place:])
                del self.open[place:]
                return

    def end_line(self, *, spaced: bool = False) -> None:
        text = " ".join(html.unescape("".join(self.now)).split())
        self.now = []
        if text:
            self.done.append("> " * min(self.depth, 3) + text)
        elif spaced and self.done and self.done[-1].strip("> "):
            self.done.append(">" * min(self.depth, 3))


def _without_comments(page: str) -> str:
    kept: list[str] = []
    place = 0
    while (begin := page.find("<!--", place)) >= 0:
        kept.append(page[place:begin])
        end = page.find("-->", begin)
        if end < 0:
            return "".join(kept)
        place = end + 3
    return "".join([*kept, page[place:]])
