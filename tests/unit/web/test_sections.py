"""The desk's navigation: it names the sections that are there, and where one is."""

from fastapi import APIRouter, FastAPI

from digest.models import Role
from digest.web.desk.navigation import SECTIONS, section_links


def _app(*paths: str) -> FastAPI:
    app = FastAPI()
    for path in paths:
        app.add_api_route(path, lambda: None, methods=["GET", "HEAD"])
    return app


def test_only_sections_whose_page_is_routed_are_shown_in_their_order() -> None:
    app = _app("/desk", "/desk/letters", "/desk/articles", "/desk/articles/{number}")

    assert [one.label for one in section_links(app, "/desk", Role.OPERATOR)] == ["Articles", "Letters"]
    assert not any(one.is_current for one in section_links(app, "/desk", Role.OPERATOR))


def test_a_page_below_a_section_marks_it_as_current() -> None:
    app = _app(*(one.path for one in SECTIONS))

    def current(path: str) -> list[str]:
        return [one.label for one in section_links(app, path, Role.OPERATOR) if one.is_current]

    assert current("/desk/readers") == ["Readers"]
    assert current("/desk/readers/7") == ["Readers"]
    assert current("/desk/world/daily/2026-11-23/preview") == ["Editions"]
    for path in ("/desk", "/desk/login", "/desk/password/x1", "/desk/proof/x1"):
        assert current(path) == []


def test_a_section_whose_pages_are_in_a_router_of_their_own_is_shown() -> None:
    app, router = FastAPI(), APIRouter()
    router.add_api_route("/desk/letters", lambda: None, methods=["GET", "HEAD"])
    app.include_router(router)

    assert [one.label for one in section_links(app, "/desk", Role.OPERATOR)] == ["Letters"]
