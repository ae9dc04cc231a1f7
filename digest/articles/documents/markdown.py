"""Parse Markdown with front matter, as static site generators write it."""

import re
from collections.abc import Sequence
from datetime import datetime

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.deflist import deflist_plugin
from mdit_py_plugins.footnote import footnote_plugin

from digest.articles.building import build_article
from digest.articles.documents import frontmatter
from digest.articles.documents.frontmatter import Front
from digest.articles.documents.headers import split_header
from digest.articles.documents.permalinks import place_of, undated
from digest.articles.documents.shortcodes import without_shortcodes
from digest.articles.html.cleaning import one_line
from digest.articles.html.titles import Markup, title_line
from digest.articles.parsed import ParsedArticle
from digest.articles.text.identity import path_slug
from digest.errors import InputError

_PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
_PARSER.use(footnote_plugin).use(deflist_plugin)
_PARSER.inline.ruler.disable("footnote_inline")
_LARGEST = 1_000_000
# What Ghost writes for the site's address in an export.
_OF_GHOST = "__GHOST_URL__"
# MDX's lines for the program that builds the page (mdxjs.com, "ESM").
_MODULES = re.compile(
    r"^(?:import\b(?=[^\n]*[\"'])|export\s+(?:const|let|default|function)\b)[^\n]*\n(?:[^\n]+\n)*", re.M
)
_OF_ZOLA = ("taxonomies", "extra")
_MORE = re.compile(r"^[ \t]*<!--\s*(?:more|excerpt|summary)\s*-->[ \t]*$", re.I | re.M)


def parse_markdown(
    content: bytes,
    *,
    name: str,
    base_url: str,
    url: str | None = None,
    topics: Sequence[str] = (),
    now: datetime | None = None,
) -> ParsedArticle:
    """Parse one file; raise InputError naming the file and line if it cannot be parsed.

    Its link is the front matter's, else `url`, else built from `base_url` and the file's name. A draft raises
    NotPublished; so does, given `now`, what has expired.

    Given `now`, the key `published_ago` ("3d 4h") stands for a published time, for samples that must always
    look recent.
    """
    text = _decoded(content, name).replace(_OF_GHOST, base_url)
    front, body = split_header(text, name)
    frontmatter.check_published(front, name, now)
    if name.lower().endswith(".mdx"):
        body = _MODULES.sub("", body)
    body = without_shortcodes(body)
    title, html = _titled(title_line(frontmatter.words(front.get("title"))), body)
    title = title or _title_of_name(name)
    if not title:
        raise InputError(f'{name}: no title; write "title: ..." between --- lines, or a first line "# ..."')
    published_at = frontmatter.published_at(front, name, now)
    place = frontmatter.link(front, name, title, published_at) or url
    try:
        return _built(
            front, title, html, _begun(front, body), place or f"{base_url}/{_path(front, name, text)}", name,
            base_url, topics, published_at,
        )  # fmt: skip
    except InputError as error:
        raise InputError(f"{name}: {error}") from None


def _built(
    front: Front,
    title: str,
    html: str,
    summary: str,
    url: str,
    name: str,
    base_url: str,
    topics: Sequence[str],
    published_at: datetime | None,
) -> ParsedArticle:
    image, alt = frontmatter.image(front)
    return build_article(
        title=title,
        title_markup=Markup.TEXT,
        url=url,
        base_url=base_url + "/",
        html=html,
        summary=summary,
        guid=f"file:{name}",
        author=frontmatter.author(front) or None,
        image=image,
        image_alt=alt,
        language=frontmatter.words(front.get("language") or front.get("lang") or front.get("locale")) or None,
        topics=(*frontmatter.topics(front), *topics),
        published_at=published_at,
    )


def _title_of_name(name: str) -> str:
    """Return the title in a file's name: `2026-03-01-high-tide.md` is "High tide", as in Jekyll."""
    folder, _, file = name.rpartition("/")
    stem = file.rpartition(".")[0] or file
    if stem.lower() in ("index", "_index"):
        stem = folder.rpartition("/")[2]
    bare = undated(stem)
    words = re.split(r"[-_ ]+", bare)
    if bare == stem and sum(map(str.isalpha, words)) < 2:
        return ""
    spelled = " ".join(filter(None, words))
    return spelled[:1].upper() + spelled[1:]


def _path(front: Front, name: str, text: str) -> str:
    """Return the path of the page on the site: the file's name, with the `slug` as its last part.

    `content/`, or Astro's `src/content/`, is the folder that pages are read from, and no part of the URL.
    Zola leaves out the date in front of a name: its files have TOML with tables of its own, or no other date.
    """
    folder, _, file = place_of(name).rpartition("/")
    stem = file.rpartition(".")[0] or file
    own = path_slug(f"{frontmatter.words(front.get('slug'))}.md") if front.get("slug") else ""
    if stem.lower() in ("index", "_index") and folder:
        folder, _, stem = folder.rpartition("/")
    is_zola = text.startswith("+++") and (any(key in front for key in _OF_ZOLA) or "date" not in front)
    if is_zola:
        stem = undated(stem)
    if own:
        return f"{path_slug(folder + '.md')}/{own}" if folder else own
    return path_slug(f"{folder}/{stem}.md" if folder else f"{stem}.md")


def _begun(front: Front, body: str) -> str:
    """Return the stated summary, else the text above the "more" marker."""
    stated = frontmatter.summary(front)
    if stated:
        return one_line(stated) if "<" in stated else stated
    more = _MORE.search(body)
    if more is None:
        return ""
    tokens = _PARSER.parse(body[: more.start()])
    while tokens and tokens[0].type == "heading_open":
        del tokens[:3]
    return _rendered(tokens)


def _titled(title: str, body: str) -> tuple[str, str]:
    """Return the title and the body's HTML, without the heading that is the title."""
    tokens = _PARSER.parse(_MORE.sub("", body))
    at = next((n for n, token in enumerate(tokens) if token.type == "heading_open"), None)
    if at is not None:
        heading = title_line(_rendered([tokens[at + 1]]), Markup.HTML)
        headings = {heading.casefold(), tokens[at + 1].content.strip().casefold()}
        if not title or (at == 0 and title.casefold() in headings):
            title = title or heading
            del tokens[at : at + 3]
    return title, _rendered(tokens)


def _rendered(tokens: list[Token]) -> str:
    return str(_PARSER.renderer.render(tokens, _PARSER.options, {}))


def _decoded(content: bytes, name: str) -> str:
    if len(content) > _LARGEST:
        raise InputError(f"{name} is larger than {_LARGEST // 1_000:,} kB; split it into several files")
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(f"{name}, line {line}: is not UTF-8; save the file as UTF-8") from None
