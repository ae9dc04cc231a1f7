"""An editor's introduction: Markdown in, cleaned HTML out."""

from functools import lru_cache

from markdown_it import MarkdownIt

from digest.articles.html.cleaning import clean_html
from digest.articles.text.invisible import without_controls

_PARSER = MarkdownIt("commonmark", {"html": False}).disable("image")


@lru_cache(maxsize=64)
def introduce(markdown: str, base_url: str) -> str:
    """Read an introduction; tags that somebody typed are shown as text, and pictures as their words."""
    written = without_controls(markdown).strip()
    return clean_html(str(_PARSER.render(written)), base_url + "/") if written else ""
