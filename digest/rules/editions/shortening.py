"""How a list of articles is shortened until its message fits: step by step, as pure functions."""

from collections.abc import Callable
from dataclasses import replace

from digest.models import Form
from digest.rules.editions.selection import Choice, Chosen

CLIPPED_AT = 102_400
"""Gmail clips the HTML part of a message at this size in bytes, and hides the rest with the unsubscribe
link."""

ROOM = 100_000
"""The largest encoded size in bytes of the HTML part."""

TOP = 5
"""How many articles at the head of a list keep their summaries longest."""


def fit(chosen: Chosen, size_of: Callable[[Chosen], int], room: int = ROOM, *, drops: bool = True) -> Chosen:
    """Shorten a list no more than necessary; `size_of` returns a list's size in bytes.

    From the last article to the first: full texts become summaries; below the top, summaries become titles;
    related articles are dropped; titles below the top are carried over, if `drops`. Then the top: summaries
    become titles, and titles are carried over. The first article keeps its summary until it stands alone. If
    no step is enough, the shortest list is returned.
    """
    if size_of(chosen) <= room:
        return chosen
    low, high = 0, count_steps(chosen, drops=drops)
    while high - low > 1:  # `low` steps are too few; `high` are enough, or all that there are
        middle = (low + high) // 2
        if size_of(shorten(chosen, middle, drops=drops)) <= room:
            high = middle
        else:
            low = middle
    return shorten(chosen, high, drops=drops)


def count_steps(chosen: Chosen, *, drops: bool = True) -> int:
    """Count the steps from a list to its shortest form."""
    forms = [choice.form for choice in chosen.choices]
    texts = forms.count(Form.FULL)
    summaries = len(forms) - forms.count(Form.TITLE)
    return texts + summaries + bool(chosen.related) + (max(len(forms) - 1, 0) if drops else 0)


def shorten(chosen: Chosen, steps: int, *, drops: bool = True) -> Chosen:
    """Take the first steps towards a list's shortest form."""
    choices, related = list(chosen.choices), chosen.related
    steps = _shorten(choices, 0, Form.FULL, Form.SUMMARY, steps)
    steps = _shorten(choices, TOP, Form.SUMMARY, Form.TITLE, steps)
    if steps and related:
        related, steps = (), steps - 1
    steps = _drop(choices, TOP, steps) if drops else steps
    steps = _shorten(choices, 1, Form.SUMMARY, Form.TITLE, steps)
    steps = _drop(choices, 1, steps) if drops else steps
    _shorten(choices, 0, Form.SUMMARY, Form.TITLE, steps)
    dropped = len(chosen.choices) - len(choices)
    return replace(chosen, choices=tuple(choices), related=related, left_out=chosen.left_out + dropped)


def list_shortened(chosen: Chosen, form: Form) -> list[Choice]:
    """List the articles that are shown shorter than `form`, the digest's own."""
    order = [Form.FULL, Form.SUMMARY, Form.TITLE]
    return [choice for choice in chosen.choices if order.index(choice.form) > order.index(form)]


def _shorten(choices: list[Choice], first: int, longer: Form, shorter: Form, steps: int) -> int:
    """Take steps from the last article to the one at `first`; return how many are left."""
    for place in range(len(choices) - 1, first - 1, -1):
        if steps and choices[place].form is longer:
            choices[place] = choices[place]._replace(form=shorter)
            steps -= 1
    return steps


def _drop(choices: list[Choice], kept: int, steps: int) -> int:
    """Drop articles from the end, one a step, until so many are kept; return how many steps are left."""
    dropped = min(steps, max(len(choices) - kept, 0))
    del choices[len(choices) - dropped :]
    return steps - dropped
