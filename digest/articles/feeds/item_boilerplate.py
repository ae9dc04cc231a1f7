"""Remove what an item's publishing program adds to its text: sharing rows, sign-up boxes, "read on" lines."""

import re
from itertools import islice

from lxml.etree import XPath

from digest.articles.html.trees import (
    Element,
    all_of,
    matches,
    read_tree,
    remove,
    untangled,
    words_of,
    write_tree,
)
from digest.articles.text.identity import canonical_url, undecorated

# Sharing and related posts of Jetpack and other plugins of WordPress, sign-up boxes of Substack, Ghost and
# many plugins, beehiiv's footer, FeedBurner's flare, and Drupal's fields and links of a node beside its text.
_ADDED = (
    "sharedaddy", "sd-sharing-enabled", "jp-relatedposts", "addtoany_share_save_container", "a2a_kit",
    "shariff", "essb_links", "ssba", "swp_social_panel", "heateor_sss_sharing_container",
    "wp-block-jetpack-sharing-buttons", "yarpp-related", "crp_related", "rp4wp-related-posts", "post-ratings",
    "post-views", "wpulike", "printfriendly", "feedflare", "beehiiv__footer",
    "subscription-widget-wrap", "subscription-widget-wrap-editor", "subscription-widget", "kg-signup-card",
    "wp-block-jetpack-subscriptions", "mc4wp-form", "mc_embed_signup", "mailpoet_form", "tnp-subscription",
    "formkit-form", "convertkit-form", "ml-embedded",
    "field--name-title", "field--name-uid", "field--name-created", "comment-add", "comment-forbidden",
    "node-readmore",
)  # fmt: skip
_CLASS = "concat(' ', normalize-space(@class), ' ')"
# Discourse writes a picture's name and size below it, in its link.
_IS_ADDED = XPath(
    "|".join(f".//*[contains({_CLASS}, ' {name} ')]" for name in _ADDED)
    + f"|.//a[contains({_CLASS}, ' lightbox ')]/*[contains({_CLASS}, ' meta ')]"
)
_BUTTONS = XPath(f".//*[contains({_CLASS}, ' button-wrapper ')]")  # Substack's
_SIGNS = frozenset((*_ADDED, "button-wrapper", "lightbox"))
_CLASSES = re.compile(r"class=[\"']?([^\"'<>]{1,300})")
_ASKS = re.compile(r"/subscribe\b|[?&]action=share\b|/comments\b", re.I)
_COUNTS = re.compile(r"\d+ posts? - \d+ participants?")
_SUBMITTED = re.compile(r"submitted by /u/\S+(?: to r/\S+)? \[link\] \[comments\]")
# What Lemmy writes above a post, and Drupal above a node.
_HEAD = re.compile(
    r"submitted by <a [^<>]*>[^<>]*</a> to <a [^<>]*>[^<>]*</a><br>"
    r"-?\d+ points? \| <a [^<>]*>\d+ comments?</a>(?:<br>\s*<a href=\"([^\"<>]*)\">\1</a>(?:<br>)?)?"
    r"|\s*<span[^<>]*>[^<>]*</span>\s*<span[^<>]*>\s*<(span|a)\b[^<>]*>[^<>]*</\2>\s*</span>"
    r"\s*<span[^<>]*>\s*<time[^<>]*>[^<>]*</time>\s*</span>"
)
_HEADED = ("submitted by <a ", "<span", "\n<span")
_ONLY_COMMENTS = re.compile(
    r"\s*(?:<p>\s*)?<a\s[^<>]*>\s*(?:comments?|discuss(?:ion)?)\s*</a>\s*(?:</p>\s*)?", re.I
)
# Shortcodes of WordPress whose plugin is missing where the feed is made.
_SHORTCODE = re.compile(
    r"\[/?(?:vc|et_pb|fusion|av|su|mk|tdc|wpb|kc|cs|fl)_[a-z0-9_-]{2,40}(?:\s[^\[\]<>]*)?\]"
    r"|\[(?:caption|wp_caption|gallery|playlist|audio|video|embed|contact-form-7|contact-form|mc4wp_form|wpforms"
    r"|gravityform|ninja_form)\s+[a-z_-]+=[^\[\]<>]*\]"
    r"|\[/(?:caption|wp_caption|gallery|playlist|audio|video|embed|contact-form)\]"
)
_EMBED = re.compile(r"\[embed(?:\s[^\[\]<>]*)?\]\s*(https?://[^\s\[\]<>\"]{4,500})\s*\[/embed\]")
_CODE = re.compile(r"<(?:pre|code)\b", re.I)
_CUT = re.compile(r"(?:\u2026|\.\.\.|\[(?:\u2026|\.\.\.)\])\s*$")
_BLOCKS = ("p", "div", "small")
_ENDS_A_LINE = frozenset(
    ("p", "div", "ul", "ol", "blockquote", "figure", "table", "pre", "h2", "h3", "h4", "hr")
)
_LAST = 4
_LONGEST = 300
_MOST_AROUND = 140
_MOST_AFTER = 12  # elements behind a text
_FEW = 4  # an arrow, a bracket
_TAIL = 4_000
_TAG = re.compile(r"<[^<>]*>")


def without_boilerplate(html: str, url: str, site: str) -> str:
    """Return an item's HTML without what its program added to its author's text.

    A last paragraph that only leads to the item ("Continue reading"), or to the item and its site ("The post
    ... appeared first on ..."), says what the message says anyway. `url` is the item's, `site` the feed's. A
    text that is nothing else stays, but for a mere link to comments, as aggregators of links have it.
    """
    if "[" in html and _SHORTCODE.search(html) and not _CODE.search(html):
        html = _SHORTCODE.sub("", _EMBED.sub(r'<p><a href="\1">\1</a></p>', html))
    if "<" not in html:
        return html
    if html.startswith(_HEADED) and (head := _HEAD.match(html)) and _TAG.sub("", html[head.end() :]).strip():
        html = html[head.end() :]
    if len(html) < _LONGEST and _ONLY_COMMENTS.fullmatch(html):
        return ""
    is_added = "class=" in html and not _SIGNS.isdisjoint(" ".join(_CLASSES.findall(html)).split())
    leads_back = _leads_back(html, url)
    if not is_added and not leads_back:
        return html
    tree = read_tree(untangled(html))
    if tree is None:
        return html
    if is_added:
        for element in matches(_IS_ADDED, tree):
            remove(element)
        for button in matches(_BUTTONS, tree):
            if any(_ASKS.search(link.get("href") or "") for link in button.iter("a")):
                remove(button)
    if leads_back:
        _cut_end(tree, url, site)
    is_left = words_of(tree).strip() or next(tree.iter("img", "iframe", "video", "audio"), None) is not None
    return write_tree(tree) if is_left else html


def _leads_back(html: str, url: str) -> bool:
    """Return whether one of the last two links is to the item, with few words behind it."""
    last = html.rfind("<a ", -_TAIL)
    if last < 0 or len(_TAG.sub("", html[last:])) > _LONGEST:
        return False
    place = re.split("[?#]", url.partition("://")[2])[0].rstrip("/")
    links = html[max(html.rfind("<a ", -_TAIL, last), 0) :]
    at = links.find(place) if place else -1
    return at >= 0 and links[at + len(place) :].removeprefix("/")[:1] in ('"', "'", "?", "#")


def _cut_end(tree: Element, url: str, site: str) -> None:
    """Remove the last blocks that only lead to the item, and a link to it behind an ellipsis."""
    own, home = _place(url), _place(site) if site else ""
    for cell in all_of(tree, "td"):
        if _SUBMITTED.fullmatch(" ".join(words_of(cell).split())):  # Reddit's
            cell[:] = []
            cell.text = None
    for block in list(all_of(tree, "div")):
        if block.get("class") == "md":
            _cut_submitted(block)
    for block in reversed(list(all_of(tree, *_BLOCKS))[-_LAST:]):
        said = " ".join(words_of(block).split())
        if block.getparent() is None or not said or len(said) > _LONGEST or _is_followed(block):
            continue
        if next(block.iter("img", "iframe", "video", "audio"), None) is None and (
            _COUNTS.fullmatch(said) or _only_leads_back(block, said, own, home)
        ):
            remove(block)
    last = next(reversed(list(tree.iter("a"))), None)
    if last is not None and not _is_followed(last) and _place(last.get("href") or "") == own:
        before = words_of(tree).rstrip().removesuffix(words_of(last).strip())
        is_cut = _CUT.search(before) or _stands_alone(last)
        if is_cut and next(last.iter("img"), None) is None and len(words_of(last)) <= _LONGEST:
            remove(last)


def _stands_alone(link: Element) -> bool:
    """Return whether a link stands on a line of its own below a paragraph or list (the Guardian's)."""
    before = link.getprevious()
    return before is not None and before.tag in _ENDS_A_LINE and not (before.tail or "").strip()


def _cut_submitted(text: Element) -> None:
    """Remove who submitted a post from behind its text, and the table around it (Reddit)."""
    after = [*islice(text.itersiblings(), _MOST_AFTER)]
    said = (text.tail or "") + "".join(words_of(one) + (one.tail or "") for one in after)
    if len(after) == _MOST_AFTER or len(said) > _LONGEST or not _SUBMITTED.fullmatch(" ".join(said.split())):
        return
    text.tail = None
    for one in after:
        one.tail = None
        remove(one)
    table = next(text.iterancestors("table"), None)
    if table is not None and len(list(table.iter("tr"))) == 1:
        for part in table.iter("table", "tbody", "tr", "td"):
            part.tag = "div"


def _only_leads_back(block: Element, said: str, own: str, home: str) -> bool:
    links = [link for link in block.iter("a") if (link.get("href") or "").strip()]
    places = [_place(link.get("href") or "") for link in links]
    around = len(said) - sum(len(" ".join(words_of(link).split())) for link in links)
    if places == [own]:
        return around <= _FEW
    is_notice = len(places) == 2 and places[0] == own and around <= _MOST_AROUND
    return is_notice and (places[1] == home or _host(places[1]) == _host(own))


def _place(url: str) -> str:
    return canonical_url(undecorated(url.strip()))


def _host(place: str) -> str:
    return place.partition("//")[2].partition("/")[0]


def _is_followed(element: Element) -> bool:
    """Return whether text or an image comes after an element, at its own level or above."""
    while (parent := element.getparent()) is not None:
        if (element.tail or "").strip():
            return True
        for after in element.itersiblings():
            if (
                words_of(after).strip()
                or (after.tail or "").strip()
                or next(after.iter("img"), None) is not None
            ):
                return True
        element = parent
    return False
