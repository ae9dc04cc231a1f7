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

_SHORTER = ((Form.FULL, Form.SUMMARY), (Form.SUMMARY, Form.TITLE))


def fit(chosen: Chosen, size_of: Callable[[Chosen], int], room: int = ROOM, *, drops: bool = True) -> Chosen:
    """Shorten a list no more than necessary; `size_of` returns a list's size in bytes.

    From the last article to the first: full texts become summaries; then summaries become titles; then
    related articles are dropped; then articles are carried over, except the first, if `drops`. If no step is
    enough, the shortest list is returned.
    """
    if size_of(chosen) <= room:
        return chosen
    low, high = 0, count_steps(chosen) - (0 if drops else max(len(chosen.choices) - 1, 0))
    while high - low > 1:  # `low` steps are too few; `high` are enough, or all that there are
        middle = (low + high) // 2
        if size_of(shorten(chosen, middle)) <= room:
            high = middle
        else:
            low = middle
    return shorten(chosen, high)


def count_steps(chosen: Chosen) -> int:
    """Count the steps from a list to its shortest form."""
    forms = [choice.form for choice in chosen.choices]
    summaries = forms.count(Form.FULL)
    titles = len(forms) - forms.count(Form.TITLE)
    return summaries + titles + bool(chosen.related) + max(len(forms) - 1, 0)


def shorten(chosen: Chosen, steps: int) -> Chosen:
    """Take the first steps towards a list's shortest form."""
    choices = list(chosen.choices)
    for longer, shorter in _SHORTER:
        steps = _shorten(choices, longer, shorter, steps)
    related = chosen.related
    if steps and related:
        related, steps = (), steps - 1
    dropped = min(steps, max(len(choices) - 1, 0))
    kept = choices[: len(choices) - dropped]
    return replace(chosen, choices=tuple(kept), related=related, left_out=chosen.left_out + dropped)


def list_shortened(chosen: Chosen, form: Form) -> list[Choice]:
    """List the articles that are shown shorter than `form`, the digest's own."""
    order = [Form.FULL, Form.SUMMARY, Form.TITLE]
    return [choice for choice in chosen.choices if order.index(choice.form) > order.index(form)]


def _shorten(choices: list[Choice], longer: Form, shorter: Form, steps: int) -> int:
    for place in range(len(choices) - 1, -1, -1):
        if steps and choices[place].form is longer:
            choices[place] = choices[place]._replace(form=shorter)
            steps -= 1
    return steps
