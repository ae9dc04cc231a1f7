"""No template of a publication's own takes more than its bounds, whatever it says; and none changes what is drawn."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from digest.errors import SettingsError
from digest.mail.rendering.renderer import Renderer
from digest.models.look import OURS
from digest.tasks.composing import bounded_documents
from digest.tasks.composing.bounded_documents import BoundedDocuments
from digest.tasks.composing.drawing_process import Bounds
from tests.support.samples import CONTENT, VALUES

FOLDER = Path(__file__).parents[4] / "templates" / "email"
NARROW = Bounds(memory=100_000_000, seconds=0.5)
LONG = "{% set long = 'ab c' * 25000 %}"
LIST = "{% set list = range(90000) | list %}"
NESTED = "{% set n = namespace(x=['deep']) %}{% for _ in range(60) %}{% set n.x = [n.x, n.x] %}{% endfor %}"
MANY = "{% set n = namespace(x=['a' * 100]) %}{% for _ in range(30) %}{% set n.x = n.x + n.x %}{% endfor %}"

HUNGRY = {
    "text times a number": "{{ 'x' * 99999999 }}",
    "list times a number": "{{ [1] * 99999999 }}",
    "bytes times a number": LONG + "{{ (long.encode() * 99999) }}",
    "bytes times a number, counted": LONG + "{{ (long.encode() * 99999) | length }}",
    "bytes joined": LONG + "{{ long.encode().join([long.encode()] * 99999) | length }}",
    "tuple times a number": "{{ ((1, 2, 3) * 90000 * 900) | length }}",
    "power": "{{ 9 ** 99999 ** 2 }}",
    "powers multiplied": (
        "{% set n = namespace(x=9) %}{% for _ in range(40) %}{% set n.x = n.x * n.x %}{% endfor %}{{ n.x }}"
    ),
    "a long number printed": "{% set n = (10 ** 99999) %}{% for _ in range(3000) %}{{ n * n > 1 }}{% endfor %}",
    "shifted by products": "{% set n = namespace(x=7 ** 99999) %}{% for _ in range(200) %}{% set n.x = n.x * n.x %}{% endfor %}",
    "joined": LONG + "{{ ([long] * 90000) | join(long) | length }}",
    "joined by its method": LONG + "{{ long.join([long] * 90000) | length }}",
    "joined letters": LONG + "{{ long.join(long) | length }}",
    "joined with ~": "{% set n = namespace(x='ab') %}{% for _ in range(99) %}{% set n.x = n.x ~ n.x %}{% endfor %}",
    "added": "{% set n = namespace(x='ab') %}{% for _ in range(99) %}{% set n.x = n.x + n.x %}{% endfor %}",
    "lists added": MANY + "{{ n.x | length }}",
    "lists nested and printed": NESTED + "{{ n.x }}",
    "lists nested as JSON": NESTED + "{{ n.x | tojson }}",
    "lists nested, as a text": NESTED + "{{ n.x | string | length }}",
    "lists nested, formatted": NESTED + "{{ '%s' | format(n.x) }}",
    "lists nested, formatted by %": NESTED + "{{ '%r' % n.x }}",
    "lists nested, formatted by a method": NESTED + "{{ '{}'.format(n.x) }}",
    "lists nested and compared": NESTED + "{% set m = n.x %}" + NESTED + "{{ m == n.x }}",
    "lists nested, pretty": NESTED + "{{ n.x | pprint }}",
    "lists nested, escaped": NESTED + "{{ n.x | forceescape }}",
    "lists nested in an attribute": NESTED + "<p {{ {'class': n.x} | xmlattr }}>",
    "lists nested, encoded": NESTED + "{{ n.x | urlencode }}",
    "lists nested, joined": NESTED + "{{ n.x | join(',') }}",
    "lists nested in a dictionary": NESTED + "{{ {'a': n.x}.values() | list }}",
    "an own list extended by itself": "{% set l = [1] %}{% for _ in range(99) %}{% set _ = l.extend(l) %}{% endfor %}",
    "sum of lists": LIST + "{{ ([list] * 90000) | sum(start=[]) | length }}",
    "sum of sums": LIST + "{{ [[list] * 900, [list] * 900] | sum(start=[]) | sum(start=[]) | length }}",
    "wrapped": LONG + "{{ long | wordwrap(1) | length }}{{ (long * 40) | wordwrap(1) | length }}",
    "wrapped by long lines": LONG + "{{ (long * 40) | wordwrap(1, wrapstring=long) | length }}",
    "wrapped as ours": LONG + "{% for _ in range(99) %}{{ (long * 40) | wrap | length }}{% endfor %}",
    "letters in columns": LIST + "{{ (list * 54) | slice(90000) | map('string') | list | string | length }}",
    "indented": LONG + "{{ ('a\\n' * 90000) | indent(9999) | length }}",
    "indented by a text": LONG + "{{ ('a\\n' * 90000) | indent(long) | length }}",
    "centred": "{{ 'x' | center(99999999) }}",
    "justified": "{{ ('x'.ljust(99999) * 49).ljust(99999999) }}",
    "filled with zeros": "{% for _ in range(99999) %}{{ '7'.zfill(99999) | length }}{% endfor %}",
    "tabs expanded": "{{ ('\\t' * 90000).expandtabs(9999) | length }}",
    "replaced": LONG + "{{ (long | replace('a', long) | replace('b', long)) | length }}",
    "replaced by its method": LONG + "{{ long.replace('a', long) | length }}",
    "bytes replaced": LONG + "{{ long.encode().replace(b, long.encode()) | length }}".replace("b,", "'a'.encode(),"),
    "translated": LONG + "{{ long.translate({97: long, 98: long}) | length }}",
    "formatted wide": "{{ '%99999999d' % 1 }}",
    "formatted wide by a method": "{{ '{:>99999999}'.format(1) }}",
    "formatted wide by an argument": "{{ '%*d' % (99999999, 1) }}",
    "formatted wide by a method's argument": "{{ '{:>{}}'.format(1, 99999999) }}",
    "formatted often": LONG + "{{ (('%(a)s' * 20000) % {'a': long}) | length }}",
    "formatted often by a method": LONG + "{{ ('{0}' * 20000).format(long) | length }}",
    "lorem ipsum": "{{ lipsum(n=90000, html=False, min=900, max=990) | length }}",
    "batches": LIST + "{{ (list * 40) | batch(99999, 'x') | list | batch(99999, 'x') | list | string | length }}",
    "sorted": LIST + "{% for _ in range(90) %}{{ (list * 40) | sort(reverse=true) | first }}{% endfor %}",
    "unique": LIST + "{% for _ in range(90) %}{{ (list * 40) | unique | list | length }}{% endfor %}",
    "groups": LIST + "{{ ((list * 40) | map('string') | groupby(0)) | string | length }}",
    "reversed": LONG + "{% for _ in range(90000) %}{{ (long * 40) | reverse | length }}{% endfor %}",
    "split": LONG + "{% for _ in range(9) %}{{ (long * 49).split('a') | map('list') | list | length }}{% endfor %}",
    "letters listed": LONG + "{{ [(long * 40) | list, (long * 40) | list, (long * 40) | list] | string | length }}",
    "linked": "{{ ('www.' * 90000 * 12) | urlize | length }}{{ ('x@' * 2000000) | urlize | length }}",
    "counted words": "{% for _ in range(90000) %}{{ ('ab c' * 90000) | wordcount }}{% endfor %}",
    "encoded for a URL": "{{ ('é' * 90000 * 49) | urlencode | urlencode | urlencode | length }}",
    "escaped again and again": (
        "{% set n = namespace(x='&' * 90000) %}{% for _ in range(90) %}{% set n.x = n.x | forceescape %}{% endfor %}"
    ),
    "loops in loops": "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    "a loop that writes": "{% for a in range(99999) %}{{ 'a line of text ' * 90 }}{% endfor %}",
    "a macro that calls itself": "{% macro m(n) %}{{ m(n - 1) ~ m(n - 1) if n }}{% endmacro %}{{ m(40) }}",
    "a macro without an end": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "a block set to twice itself": "{% set n = namespace(x='ab') %}{% for _ in range(60) %}{% set t %}{{ n.x }}{{ n.x }}{% endset %}{% set n.x = t %}{% endfor %}",
    "a dictionary that grows": (
        "{% set d = {} %}{% for a in range(90000) %}{% set _ = d.update({a: 'x' * 9000 ~ a}) %}{% endfor %}"
    ),
    "a template that includes itself": "{% include 'front-page.html.j2' %}",
    "a hundred thousand brackets": "{{ " + "(" * 20_000 + "1" + ")" * 20_000 + " }}",
    "a hundred thousand signs": "{{ " + "-" * 20_000 + "1 }}",
    "folded while compiled": "{{ 'a' | center(99999) | replace('', 'b' * 1999) | wordwrap(1) | length }}",
    "elements without an end": "{% for a in range(90000) %}<div>{% endfor %}",
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def process() -> Iterator[None]:
    """End the process that draws after these tests."""
    yield
    bounded_documents._PROCESS.close()


def own_look(folder: Path, masthead: str) -> Path:
    """Write a front page whose masthead is on the third line."""
    folder.mkdir(exist_ok=True)
    written = '{% extends "stock/front-page.html.j2" %}\n{% block masthead %}\n' + masthead + "{% endblock %}"
    (folder / "front-page.html.j2").write_text(written, "utf-8")
    return folder


def bounded(own: Path, bounds: Bounds = NARROW) -> Renderer:
    """Return a renderer that draws with bounds."""
    return Renderer(FOLDER, own, OURS, BoundedDocuments(FOLDER, own, OURS, bounds))


@pytest.mark.parametrize("what", HUNGRY)
def test_a_template_that_takes_too_much_is_named_with_the_remedy(what: str, tmp_path: Path) -> None:
    renderer = bounded(own_look(tmp_path / "look", HUNGRY[what]))

    with pytest.raises(SettingsError) as caught:
        renderer.render(CONTENT)

    said = str(caught.value)
    assert said.startswith("template "), said
    assert "front-page." in said
    assert "\n" not in said
    assert "try again" not in said
    assert "Error" not in said


def test_most_errors_name_the_line(tmp_path: Path) -> None:
    """Neither a call that does not return nor one that ends the process hides where it stands."""
    for what in ("lists nested and printed", "lorem ipsum", "bytes joined", "loops in loops", "linked"):
        with pytest.raises(SettingsError, match=r"^template front-page\.html\.j2, line 3: .*; check it for"):
            bounded(own_look(tmp_path / "look", HUNGRY[what])).render(CONTENT)


def test_a_template_that_behaves_is_drawn_as_without_bounds(tmp_path: Path) -> None:
    own = own_look(tmp_path / "look", "<tr><td>Founded {{ 1800 + 81 }}, for {{ reader.name }}</td></tr>")
    for look in ("front-page", "letter"):
        content = replace(CONTENT, look=look)
        found, plain = bounded(own, Bounds()).render(content), Renderer(FOLDER, own).render(content)
        assert found == plain
    assert bounded(own).render_for(CONTENT, VALUES | {"to_line": "For Ada"}) == Renderer(
        FOLDER, own
    ).render_for(CONTENT, VALUES | {"to_line": "For Ada"})


def test_a_template_that_decides_on_a_reader_is_drawn_for_the_reader(tmp_path: Path) -> None:
    own = own_look(tmp_path / "look", "{% if reader.name %}<tr><td>Dear reader</td></tr>{% endif %}")

    rendering = bounded(own).render(CONTENT)

    assert rendering.personal is not None
    assert rendering.personal(rendering.own_values(VALUES)).html != rendering.html


def test_a_fault_in_a_template_is_said_as_without_bounds(tmp_path: Path) -> None:
    own = own_look(tmp_path / "look", "{{ content.titel }}")
    said = r'line 3: Content has no attribute .titel.; did you mean "title"\?'
    for renderer in (bounded(own), Renderer(FOLDER, own)):
        with pytest.raises(SettingsError, match=said):
            renderer.render(CONTENT)
    (own / "front-page.html.j2").write_text("{% if %}")
    assert bounded(own).check("front-page.html.j2").startswith("template front-page.html.j2, line 1: ")
    assert bounded(own).check("letter.html.j2") == ""


def test_a_process_that_was_ended_from_outside_is_started_again(tmp_path: Path) -> None:
    renderer = bounded(own_look(tmp_path / "look", "{{ content.title }}"))
    first = renderer.render(CONTENT)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):  # it leaves the first two to its parent
        running = bounded_documents._PROCESS._running
        assert running is not None
        os.kill(running[0].pid, number)
        assert bounded(tmp_path / "look").render(CONTENT) == first


def test_a_template_pays_for_no_other_one(tmp_path: Path) -> None:
    """What one document took is not counted against the next, of however many."""
    renderer = bounded(own_look(tmp_path / "look", "{{ ('ab c' * 90000) | upper | length }}" * 9))
    for _ in range(20):
        renderer.render_for(CONTENT, VALUES | {"to_line": "For Ada"})


def test_threads_take_turns(tmp_path: Path) -> None:
    renderer = bounded(own_look(tmp_path / "look", "{{ reader.name }}"), Bounds())
    found: dict[str, Any] = {}

    def draw(name: str) -> None:
        found[name] = renderer.render_for(CONTENT, VALUES | {"to_line": "For you", "name": name})

    threads = [threading.Thread(target=draw, args=(f"Reader {number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert all(name.encode() in b"".join(found[name].html) for name in found)
    assert len(found) == 8


def test_settings_in_the_environment_do_not_reach_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGEST_WEB__SECRET", "pearl-diver")

    assert "pearl-diver" not in bounded_documents._environment().values()


def test_a_notice_of_ones_own_is_bounded_too(tmp_path: Path) -> None:
    (tmp_path / "confirm.txt.j2").write_text("{{ lipsum(n=90000, html=False, min=900, max=990) }}")
    values = {"url": "https://a.example/", "content": CONTENT}
    (tmp_path / "confirm.html.j2").write_text("{{ url }}")
    with pytest.raises(
        SettingsError, match=r"template confirm\.txt\.j2, line 1: it takes more than 4 seconds"
    ):
        bounded(tmp_path).render_notice("confirm", "en", values)


_MEASURE = """
import json, resource, sys
from pathlib import Path
from digest.errors import SettingsError
from tests.unit.tasks.composing.test_bounded_documents import bounded, own_look, bounded_documents, HUNGRY
from tests.support.samples import CONTENT
from digest.tasks.composing.drawing_process import Bounds

before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for number, what in enumerate(sys.argv[2:]):
    try:
        bounded(own_look(Path(sys.argv[1]) / str(number), HUNGRY[what]), Bounds(seconds=0.5)).render(CONTENT)
    except SettingsError:
        pass
bounded_documents._PROCESS.close()
own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print(json.dumps([own / 1024, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024]))
"""


def test_the_worst_take_little_memory_here_and_a_bounded_amount_there(tmp_path: Path) -> None:
    worst = (
        "list times a number", "bytes joined", "joined", "an own list extended by itself", "sum of lists",
        "wrapped", "lists nested as JSON", "translated", "tabs expanded", "a dictionary that grows",
    )  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, str(tmp_path), *worst],
        cwd=FOLDER.parents[1], capture_output=True, text=True, check=True,
    )  # fmt: skip

    here, there = json.loads(done.stdout)
    assert here < 20
    assert there < 300
