"""The sample newsroom's own site: a page for each article, and its pictures."""

from html import escape
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from digest.bootstrap import Application
from digest.demo.catcher import show_page
from digest.errors import DigestError
from digest.tasks.articles.articles import show_article

STORIES, PICTURES = "stories/", "pictures/"
"""Where they are below the demo's base_url."""


def add_stories(pages: Starlette, app: Application, folder: Path) -> None:
    """Add the newsroom's own site to the demo's pages, so that every link of an edition leads somewhere."""

    def story(request: Request) -> Response:
        url = f"{app.settings.site.base_url}/{STORIES}{request.path_params['name']}"
        try:
            found = show_article(app.database, url).article
        except DigestError:
            return show_page("No such article", "<h1>No such article</h1>", 404)
        picture = ""
        if found.image_url:
            picture = f'<p><img src="{escape(found.image_url)}" alt="{escape(found.image_alt or "")}"></p>'
        author = f"<p>{escape(found.author)}</p>" if found.author else ""
        return show_page(
            found.title,
            f"<h1>{escape(found.title)}</h1>{author}{picture}{found.html}",
            language=found.language,
        )

    pages.add_route(f"/{STORIES}{{name:path}}", story, methods=["GET", "HEAD"])
    pictures = StaticFiles(directory=folder / "newsroom" / "pictures", check_dir=False)
    pages.mount(f"/{PICTURES.rstrip('/')}", pictures)
