"""An editor's introduction: Markdown converted to cleaned HTML."""

from functools import lru_cache

from markdown_it import MarkdownIt

from digest.articles.html.cleaning import clean_html
from digest.articles.text.invisible import without_controls

_PARSER = MarkdownIt("commonmark", {"html": False}).disable("image")


@lru_cache(maxsize=64)
def introduce(markdown: str, base_url: str) -> str:
    """Convert an introduction; typed tags are shown as text, and images as their alternative text."""
    written = without_controls(markdown).strip()
    return clean_html(str(_PARSER.render(written)), base_url + "/") if written else ""


def with_sponsor(introduction: str, sponsor: str, label: str) -> str:
    """Return an introduction with the sponsor's line below it, marked by a label as an advertisement.

    `with_sponsor("", "Tea by Lund", "Advertisement")` is `"**Advertisement:** Tea by Lund"`.
    """
    return f"{introduction}\n\n**{label}:** {sponsor}".strip() if sponsor else introduction
