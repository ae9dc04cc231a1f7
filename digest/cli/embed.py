"""`digest embed`: the sign-up form for the publication's own site."""

import sys
from typing import Annotated

from cyclopts import Parameter

from digest.cli.terminal.common import DEFAULT, Common, application
from digest.errors import UsageError
from digest.resources import bundled
from digest.web.shared.pages import Pages
from digest.web.shared.views import View

Flag = Annotated[bool, Parameter(negative="")]


def embed(
    *,
    digest: tuple[str, ...] = (),
    language: str | None = None,
    plain: Flag = False,
    common: Common = DEFAULT,
) -> None:
    """Print the sign-up form for your own site: plain HTML, no script.

    Paste it into a page. Sending it leads to a page of the publication with one button, because a form on
    another site proves nothing about who sent it; the confirmation is mailed after that button.

    Parameters
    ----------
    digest:
        Offer only this digest; may be repeated. All of them otherwise, each with a box of its own.
    language:
        The form's language, such as fr; else the publication's.
    plain:
        Omit the styles, for a page that has its own or forbids inline styles.
    """
    with application(common) as app:
        settings, catalogues = app.settings, app.renderer.catalogues
        found = catalogues.find(language or settings.site.language)
        if language is not None and found is None:
            known = ", ".join(catalogues.languages)
            raise UsageError(f'--language "{language}" is not a language of this installation: pick {known}')
        words = catalogues.translator(found or "en")
        pages = Pages(bundled("templates") / "web", settings)
        offered = [settings.digest(name) for name in digest] or list(settings.digests)
        page = View(pages, settings, words, (), "/").render("embed", digests=offered, styled=not plain)
    sys.stdout.write(bytes(page.body).decode().strip() + "\n")
