"""Who may do what at the desk: every route, by every role, with every token, by every method."""

import re
from collections.abc import Iterator

import pytest
from starlette.routing import BaseRoute

from digest.models import Role
from digest.settings import Settings, load_settings
from tests.conftest import write_config
from tests.support.desks import BASE, BEN, MARA, OLGA, Clock, Newsdesk, Visitor

PEOPLE = {Role.EDITOR: BEN, Role.PUBLISHER: MARA, Role.OPERATOR: OLGA}
EDITION = "/desk/{digest}/{cadence}/{period}"
READER = "/desk/readers/{reader}"
HOOKS = "/desk/api/webhooks"
LISTS, SEGMENTS = "/desk/readers/import", "/desk/readers/segments"
SEGMENT = f"{SEGMENTS}/{{segment}}"
OPEN = {
    "/desk/login", "/desk/password/{token}", "/desk/proof/{token}", "/desk.css", "/desk.js",
    "/calendar/{token}.ics",
}  # fmt: skip
NEEDS: dict[tuple[str, str], Role] = {
    ("GET", "/desk/readers"): Role.OPERATOR, ("GET", READER): Role.OPERATOR,
    **{("POST", f"/desk/readers/{act}"): Role.OPERATOR for act in ("add", "suppress", "unsuppress")},
    ("GET", "/desk/settings"): Role.OPERATOR,
    ("GET", "/desk/look"): Role.PUBLISHER, ("GET", "/desk/look/frame/{look}"): Role.PUBLISHER,
    ("GET", "/desk/look/templates/{look}"): Role.PUBLISHER,
    **{
        ("POST", f"{READER}/{act}"): Role.OPERATOR
        for act in ("set", "pause", "resume", "leave", "link", "move", "suppress", "erase")
    },
    **{("GET", path): Role.OPERATOR for path in (LISTS, f"{LISTS}/{{name}}", f"{LISTS}/{{name}}/lines")},
    **{("POST", f"{LISTS}/{{name}}/{act}"): Role.OPERATOR for act in ("check", "start", "remove")},
    **{("GET", path): Role.OPERATOR for path in (SEGMENTS, SEGMENT, f"{SEGMENT}/proof")},
    **{("POST", path): Role.OPERATOR for path in (SEGMENTS, f"{SEGMENT}/set", f"{SEGMENT}/remove", f"{SEGMENT}/proof")},
    ("POST", LISTS): Role.OPERATOR, ("POST", "/desk/readers/export"): Role.OPERATOR,
    ("POST", "/desk/sources/preview"): Role.OPERATOR, ("POST", "/desk/sources/add"): Role.OPERATOR,
    ("GET", HOOKS): Role.OPERATOR, ("GET", f"{HOOKS}/{{number}}"): Role.OPERATOR,
    ("POST", f"{HOOKS}/add"): Role.OPERATOR,
    **{
        ("POST", f"{HOOKS}/{{number}}/{act}"): Role.OPERATOR
        for act in ("secret", "stop", "start", "remove", "replay/{message}")
    },
    **{("POST", f"/desk/sources/{{source}}/{act}"): Role.OPERATOR for act in ("pause", "resume", "fetch", "ask", "set", "remove")},
    **{("POST", f"{EDITION}/{act}"): Role.PUBLISHER for act in ("approve", "pause", "resume", "publish", "to-publish")},
    **{("POST", f"{EDITION}/{act}/{{number}}"): Role.PUBLISHER for act in ("withdraw", "correct", "breaking")},
}  # fmt: skip
"""What only some may do, written down here once more; everything else at the desk is any editor's."""

SAMPLES = {
    "digest": "world", "cadence": "daily", "period": "2026-11-23", "number": "1", "letter": "1",
    "token": "x", "reader": "nobody", "source": "newsroom", "article": "1", "message": "1", "look": "letter", "name": "nobody", "segment": "1",
}  # fmt: skip


@pytest.fixture(scope="module")
def newsdesk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newsdesk]:
    folder = tmp_path_factory.mktemp("roles")
    settings: Settings = load_settings(write_config(folder, f"sqlite:///{folder}/digest.db"))
    newsdesk = Newsdesk(settings, Clock())
    yield newsdesk
    newsdesk.close()


@pytest.fixture(scope="module")
def signed_in(newsdesk: Newsdesk) -> dict[Role, Visitor]:
    return {role: newsdesk.sign_in(address) for role, address in PEOPLE.items()}


def _flat(routes: list[BaseRoute]) -> Iterator[tuple[str, set[str]]]:
    for route in routes:
        below = getattr(getattr(route, "original_router", route), "routes", None)
        if below:
            yield from _flat(below)
        elif hasattr(route, "methods"):
            yield route.path, set(route.methods)  # type: ignore[attr-defined]


def routes(newsdesk: Newsdesk) -> dict[tuple[str, str], Role]:
    """Return every route of the desk by method and path, with the role that it needs."""
    found = {
        (method, path): NEEDS.get((method, path), Role.EDITOR)
        for path, methods in _flat(newsdesk.web.routes)
        for method in methods - {"HEAD"}
        if path.startswith("/desk") and path not in OPEN
    }
    assert len(found) > 30, "the application's routes are found"
    return found


def fill(path: str) -> str:
    return re.sub(r"\{(\w+)\}", lambda name: SAMPLES[name[1]], path)


def test_what_is_restricted_is_there(newsdesk: Newsdesk) -> None:
    assert NEEDS.keys() <= routes(newsdesk).keys()


def test_a_page_opens_for_the_roles_that_it_names_and_for_nobody_else(
    newsdesk: Newsdesk, signed_in: dict[Role, Visitor]
) -> None:
    for (method, path), needed in routes(newsdesk).items():
        if method != "GET":
            continue
        assert newsdesk.visitor().get(fill(path)).headers["location"].startswith("/desk/login"), path
        for role, visitor in signed_in.items():
            answer = visitor.get(fill(path))
            assert (answer.status_code == 403) is not role.includes(needed), (path, role)
            assert answer.status_code < 500, (path, role)


def test_an_act_needs_the_role_the_form_and_our_own_page(
    newsdesk: Newsdesk, signed_in: dict[Role, Visitor]
) -> None:
    before = newsdesk.snapshot()
    tokens = {role: visitor.token("/desk")["form"] for role, visitor in signed_in.items()}
    for (method, path), needed in routes(newsdesk).items():
        if method != "POST" or path in ("/desk/logout", "/desk/end-others"):
            continue
        target = f"{BASE}{fill(path)}"
        nobody = newsdesk.visitor().client.post(target, data={"form": tokens[Role.OPERATOR]})
        assert nobody.headers["location"].startswith("/desk/login"), path
        for role, visitor in signed_in.items():
            other = next(token for name, token in tokens.items() if name != role)
            for form in ("", "made-up", other):
                assert visitor.client.post(target, data={"form": form}).status_code == 403, (path, role, form)
            own = {"form": tokens[role]}
            for elsewhere in ({"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}):
                answer = visitor.client.post(target, data=own, headers=elsewhere)
                assert answer.status_code == 403, (path, role, elsewhere)
            if not role.includes(needed):
                assert visitor.client.post(target, data=own).status_code == 403, (path, role)
    assert newsdesk.snapshot() == before


def test_no_other_method_is_answered(newsdesk: Newsdesk, signed_in: dict[Role, Visitor]) -> None:
    for path in sorted({path for _, path in routes(newsdesk)}):
        for method in ("PUT", "PATCH", "DELETE"):
            answer = signed_in[Role.OPERATOR].client.request(method, f"{BASE}{fill(path)}")
            assert answer.status_code == 405, (method, path)


def test_each_role_may_what_the_ones_before_it_may() -> None:
    assert [[one.includes(other) for other in Role] for one in Role] == [
        [True, False, False],
        [True, True, False],
        [True, True, True],
    ]


def test_an_address_of_the_wrong_kind_is_a_plain_page_everywhere(
    newsdesk: Newsdesk, signed_in: dict[Role, Visitor]
) -> None:
    """A number that is a word, or larger than any that is stored, names nothing."""
    visitor = signed_in[Role.OPERATOR]
    form = visitor.token("/desk")["form"]
    for method, path in routes(newsdesk):
        if not re.search(r"\{(number|letter|article)\}", path):
            continue
        for number in ("word", "9" * 30):
            target = f"{BASE}{re.sub(r'{(number|letter|article)}', number, path).format(**SAMPLES)}"
            answer = visitor.client.request(method, target, data={"form": form} if method == "POST" else None)
            assert answer.status_code in (303, 400, 404), (method, target)
            if answer.status_code != 303:
                assert answer.headers["content-type"].startswith("text/html"), (method, target)
                assert "<h1" in answer.text, (method, target)
