"""Editing one article of a draft: its place, whether it is in, and how it is shown."""

from collections.abc import Callable, Mapping, Sequence

from sqlmodel import Session

from digest.articles.text.search_words import read_filter
from digest.errors import InputError
from digest.models import Article, Draft, Reach
from digest.models.row import row_id
from digest.rules.articles.images import UPLOADED
from digest.rules.editions import arrangement
from digest.settings import Settings
from digest.store.articles import articles, duplicates, listing
from digest.store.articles.sources import known_sources
from digest.store.editions import snapshots
from digest.tasks.articles.images import keep_upload, shrink_upload
from digest.tasks.desk.desk import Desk
from digest.tasks.desk.draft_versions import Edit, change_draft, change_draft_in, shape_draft
from digest.tasks.desk.lineup import Lineup

LONGEST = {"title": 300, "summary": 2_000, "image_alt": 500, "section": 100}
MOST_FOUND = 10
NO_IMAGE = snapshots.NO_IMAGE
_NEEDS_WORDS = "describe the picture for those who cannot see it"


def lead(desk: Desk, edit: Edit, article_id: int) -> None:
    """Move an article to the lead."""
    _place(desk, edit, article_id, lambda _ids: 0)


def step(desk: Desk, edit: Edit, article_id: int, by: int) -> None:
    """Move an article one place up (-1) or down (1) within its section of the line-up."""

    def alter(draft: Draft, shown: Lineup) -> str:
        _check_shown(shown, article_id)
        neighbour = shown.neighbour(article_id, by)
        if neighbour is None:
            raise InputError(f"“{shown.title(article_id)}” is already at that end of its section")
        at = shown.ids.index(neighbour)
        draft.arranged = arrangement.move(draft.arranged, shown.ids, article_id, at)
        return f"moved “{shown.title(article_id)}” {'up' if by < 0 else 'down'}"

    shape_draft(desk, edit, alter)


def move_before(desk: Desk, edit: Edit, article_id: int, other_id: int | None) -> None:
    """Move an article before another one; to the end if there is none."""

    def position(ids: Sequence[int]) -> int:
        rest = [one for one in ids if one != article_id]
        return rest.index(other_id) if other_id in rest else len(rest)

    _place(desk, edit, article_id, position)


def _place(desk: Desk, edit: Edit, article_id: int, position: Callable[[Sequence[int]], int]) -> None:
    def alter(draft: Draft, shown: Lineup) -> str:
        _check_shown(shown, article_id)
        at = max(0, min(position(shown.ids), len(shown.ids) - 1))
        draft.arranged = arrangement.move(draft.arranged, shown.ids, article_id, at)
        return f"put “{shown.title(article_id)}” {f'in place {at + 1}' if at else 'first'}"

    shape_draft(desk, edit, alter)


def pin(desk: Desk, edit: Edit, article_id: int) -> None:
    """Keep an article at its present place, whatever arrives later."""

    def alter(draft: Draft, shown: Lineup) -> str:
        _check_shown(shown, article_id)
        draft.arranged = arrangement.pin(draft.arranged, shown.ids, article_id)
        return f"pinned “{shown.title(article_id)}” in place {shown.ids.index(article_id) + 1}"

    shape_draft(desk, edit, alter)


def unpin(desk: Desk, edit: Edit, article_id: int) -> None:
    """Return an article to the place that the rules give it."""

    def alter(draft: Draft, shown: Lineup) -> str:
        draft.arranged = arrangement.free(draft.arranged, article_id)
        return f"unpinned “{shown.title(article_id)}”"

    shape_draft(desk, edit, alter)


def hide(desk: Desk, edit: Edit, article_id: int) -> None:
    """Leave an article out of this edition; it stays a candidate for the next. An added one is removed."""

    def alter(draft: Draft, shown: Lineup) -> str:
        _check_shown(shown, article_id)
        draft.arranged = arrangement.leave_out(draft.arranged, shown.ids, article_id)
        if str(article_id) in draft.added:
            draft.added = {key: reach for key, reach in draft.added.items() if key != str(article_id)}
            return f"took “{shown.title(article_id)}” out again"
        draft.hidden = [*draft.hidden, article_id]
        return f"left out “{shown.title(article_id)}”"

    shape_draft(desk, edit, alter)


def unhide(desk: Desk, edit: Edit, article_id: int) -> None:
    """Take an article back in that was left out of this edition."""

    def alter(draft: Draft, shown: Lineup) -> str:
        draft.hidden = [one for one in draft.hidden if one != article_id]
        return f"took “{shown.title(article_id)}” back in"

    shape_draft(desk, edit, alter)


def add(desk: Desk, edit: Edit, named: str, reach: Reach) -> None:
    """Add an article, by id or URL, that is not a candidate, for readers of its topics or for all."""
    with desk.database.write() as session:
        add_in(session, edit, named, reach)


def add_in(session: Session, edit: Edit, named: str, reach: Reach) -> None:
    """Add an article in a transaction that is open."""
    if not named.strip():
        raise InputError("name the article to add, by its id or its URL")

    def alter(session: Session, draft: Draft) -> str:
        title, article_id = _addable(session, named.strip())
        draft.added = {**draft.added, str(article_id): reach.value}
        draft.hidden = [one for one in draft.hidden if one != article_id]
        draft.arranged = arrangement.append(draft.arranged, article_id)
        return f"added “{title}” for {'all readers' if reach is Reach.ALL else 'readers of its topics'}"

    change_draft_in(session, edit, alter)


def _addable(session: Session, named: str) -> tuple[str, int]:
    article = articles.find_article_named(session, named)
    if article is None or article.id is None:
        raise InputError(f'there is no article "{named}"; name one by its id or its URL')
    if article.hidden_at or article.withdrawn_at:
        gone = "withdrawn" if article.withdrawn_at else "hidden for good"
        raise InputError(f"“{article.title}” is {gone}; it can be in no edition")
    root = duplicates.story_of(session, article.id)[0]
    if root != article.id:
        raise InputError(f"“{article.title}” tells the story of article {root}; add that one")
    return article.title, root


def find_stored(session: Session, article_id: int) -> Article | None:
    """Find a stored article by its id."""
    return articles.find_article_named(session, str(article_id))


def find_articles(session: Session, settings: Settings, words: str) -> list[Article]:
    """Find stored articles by their words: those with them in the title first, then the newest.

    Below them are those of a topic, a source or a day that the words name.
    """
    words = words[:200]
    found = {row_id(one): one for one in listing.find_for_edition(session, words, MOST_FOUND)}
    topics = {topic for digest in settings.digests for topic in digest.topics}
    sources = [source.name for source in known_sources(session, settings)]
    wanted = read_filter(words, topics, sources, settings.zone)
    if wanted is not None and len(found) < MOST_FOUND:
        for one in listing.find_filtered(session, wanted, MOST_FOUND):
            found.setdefault(row_id(one), one)
    return list(found.values())[:MOST_FOUND]


def change_article(desk: Desk, edit: Edit, article_id: int, fields: Mapping[str, str]) -> None:
    """Edit an article for this edition only; a field equal to its source's is no edit.

    `fields` are title, summary, section (a topic), image_alt, and image: "none" leaves the picture out.
    """

    def alter(session: Session, draft: Draft) -> str:
        article = articles.get_articles(session, [article_id]).get(article_id)
        if article is None:
            raise InputError(f"there is no article {article_id}")
        own = _changed(article, fields, draft.changes.get(str(article_id), {}))
        if own == draft.changes.get(str(article_id), {}):
            return ""
        draft.changes = {key: value for key, value in draft.changes.items() if key != str(article_id)}
        if own:
            draft.changes = {**draft.changes, str(article_id): own}
        named = ", ".join(name.replace("_", " ") for name in own)
        said = f"changed the {named} of" if own else "took back the changes to"
        return f"{said} “{article.title}” for this edition"

    change_draft(desk, edit, alter)


def show_picture(desk: Desk, edit: Edit, article_id: int, content: bytes, described: str) -> None:
    """Show an uploaded picture with an article in this edition only, with its description.

    Raise InputError if it is no picture, or has no description for those who cannot see it.
    """
    described = " ".join(described.split())
    if not described:
        raise InputError(_NEEDS_WORDS)
    if len(described) > LONGEST["image_alt"]:
        raise InputError(f"the description has {len(described)} characters; {LONGEST['image_alt']} fit")
    small = shrink_upload(content)

    def alter(session: Session, draft: Draft) -> str:
        article = articles.get_articles(session, [article_id]).get(article_id)
        if article is None:
            raise InputError(f"there is no article {article_id}")
        url = keep_upload(session, small, edit.now)
        own = {**draft.changes.get(str(article_id), {}), "image": url, "image_alt": described}
        draft.changes = {**draft.changes, str(article_id): own}
        return f"uploaded a picture for “{article.title}” for this edition"

    change_draft(desk, edit, alter)


def _changed(article: Article, fields: Mapping[str, str], before: Mapping[str, str]) -> dict[str, str]:
    """Return the fields that differ from the source's; raise InputError if one is too long or missing.

    A picture that was uploaded `before` stays, unless it is left out.
    """
    uploaded = before.get("image", "") if before.get("image", "").startswith(UPLOADED) else ""
    own: dict[str, str] = {}
    for name, most in LONGEST.items():
        value = " ".join(fields.get(name, "").split())
        if len(value) > most:
            raise InputError(f"the {name.replace('_', ' ')} has {len(value)} characters; {most} fit")
        stood = (article.topics or [""])[0] if name == "section" else getattr(article, name) or ""
        if name in fields and value != " ".join(stood.split()):
            own[name] = value
    if "title" in own and not own["title"]:
        raise InputError("an article needs a title")
    if not own.get("section", "-"):
        del own["section"]
    if fields.get("image") == NO_IMAGE and article.image_url:
        own["image"] = NO_IMAGE
    elif uploaded and "image" in fields and fields["image"] != NO_IMAGE:
        own["image"] = uploaded
        if not fields.get("image_alt", "").strip():
            raise InputError(_NEEDS_WORDS)
    return own


def _check_shown(shown: Lineup, article_id: int) -> None:
    if article_id not in shown.ids:
        raise InputError(f"article {article_id} is not in this edition any more")
