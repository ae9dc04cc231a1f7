"""Limits on what a template may write and execute, so that a mistake cannot fill memory or run for ever.

A rendering may write 5,000,000 characters and take 500,000 steps (rounds of loops, calls). Steps are counted
rather than seconds, so that a template fails everywhere or nowhere. They find what grows by loops and calls;
what a single expression takes is bounded by the process that draws a publication's own templates
(tasks/composing/drawing_process.py).
"""

import functools
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from jinja2 import nodes, pass_eval_context
from jinja2.exceptions import TemplateRuntimeError
from jinja2.runtime import markup_join, str_join
from jinja2.sandbox import SandboxedEnvironment
from jinja2.visitor import NodeTransformer

MOST_CHARACTERS = 5_000_000
MOST_STEPS = 500_000
MOST_MEMORY = 128_000_000
MOST_SECONDS = 4.0
_LARGEST_ARGUMENT = 100_000
_LONG_NUMBER = re.compile(r"\d{6}")

_steps: ContextVar[list[int]] = ContextVar("steps")


class TemplateTooLargeError(TemplateRuntimeError):
    """A template writes more, or takes more steps, than it may.

    Example: `{% for i in range(1000000) %}x{% endfor %}`.
    """


def memory_exceeded() -> TemplateTooLargeError:
    """Return the error of a template that takes too much memory."""
    most = f"{MOST_MEMORY // 1_000_000} MB"
    return TemplateTooLargeError(
        f"it takes more than {most} of memory; check it for a text or list that grows"
    )


def time_exceeded() -> TemplateTooLargeError:
    """Return the error of a template that takes too much of the processor's time."""
    most = f"{MOST_SECONDS:g} seconds"
    return TemplateTooLargeError(
        f"it takes more than {most} of the processor; check it for a loop or a text that grows"
    )


@contextmanager
def counted_steps() -> Iterator[None]:
    """Count the steps of the renderings inside the block, from 0."""
    token = _steps.set([0])
    try:
        yield
    finally:
        _steps.reset(token)


def take_step() -> None:
    """Count one step; raise TemplateTooLargeError if it is one too many."""
    steps = _steps.get(None)
    if steps is None:
        return
    steps[0] += 1
    if steps[0] > MOST_STEPS:
        raise TemplateTooLargeError(
            f"it takes more than {MOST_STEPS:,} steps; check it for a loop within a loop"
        )


def check_size(characters: int) -> None:
    """Raise TemplateTooLargeError if a text is longer than a rendering may be."""
    if characters > MOST_CHARACTERS:
        raise TemplateTooLargeError(
            f"it writes more than {MOST_CHARACTERS:,} characters; check it for a loop"
        )


def with_limits(function: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a filter or test so that it refuses arguments that would make it write too much."""

    @functools.wraps(function)
    def limited(*values: Any, **named: Any) -> Any:
        _check_arguments(values, named.values(), function.__name__)
        found = function(*values, **named)
        if isinstance(found, str):
            check_size(len(found))
        return found

    return limited


def counted(items: Iterable[Any]) -> Iterator[Any]:
    """Iterate and count each round as a step: every loop of a template goes through this."""
    for item in items:
        take_step()
        yield item


@pass_eval_context
def joined(context: nodes.EvalContext, items: list[Any]) -> str:
    """Join the operands of `~`, unless the result is too long."""
    text = markup_join(items) if context.autoescape else str_join(items)
    check_size(len(text))
    return text


class _Rewriter(NodeTransformer):
    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802 - named by Jinja
        self.generic_visit(node)
        node.iter = nodes.Filter(node.iter, "counted", [], [], None, None).set_lineno(node.lineno)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802 - named by Jinja
        self.generic_visit(node)
        items = nodes.List(node.nodes).set_lineno(node.lineno)
        return nodes.Filter(items, "joined", [], [], None, None).set_lineno(node.lineno)


class LimitedEnvironment(SandboxedEnvironment):
    """A sandboxed environment that limits what its templates write and execute.

    `{{ "x" * 100000000 }}` raises TemplateTooLargeError instead of taking 100 MB.
    """

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.filters |= {"counted": counted, "joined": joined}

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree: nodes.Template = _Rewriter().visit(super()._parse(source, name, filename))
        return tree

    @staticmethod
    def concat(pieces: Iterable[str]) -> str:
        """Join the pieces of a template's output, unless the result is too long."""
        kept, size = [], 0
        for piece in pieces:
            size += len(piece)
            check_size(size)
            kept.append(piece)
        return "".join(kept)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Evaluate a binary operator, unless its result is too large."""
        texts = [value for value in (left, right) if isinstance(value, str | list | tuple)]
        numbers = [abs(value) for value in (left, right) if isinstance(value, int)]
        if operator == "*" and texts and numbers:
            check_size(len(texts[0]) * numbers[0])
        if operator == "+" and len(texts) == 2:
            check_size(len(left) + len(right))
        if operator == "**" and (isinstance(left, str) or max(numbers, default=0) > _LARGEST_ARGUMENT):
            check_size(MOST_CHARACTERS + 1)
        if operator == "%" and isinstance(left, str):
            _check_format(left)
        return super().call_binop(context, operator, left, right)

    def call(__self, __context: Any, __obj: Any, *args: Any, **named: Any) -> Any:  # noqa: N805 - as Jinja's
        """Call a macro, function or method, unless its arguments ask for too much."""
        take_step()
        owner = getattr(__obj, "__self__", None) if callable(__obj) else None
        values = (owner, *args) if isinstance(owner, str) else args
        _check_arguments(values, named.values(), getattr(__obj, "__name__", ""))
        found = super().call(__context, __obj, *args, **named)
        if isinstance(found, str):
            check_size(len(found))
        return found


def _check_arguments(values: Iterable[Any], named: Iterable[Any], name: str = "") -> None:
    every = [*values, *named]
    if any(type(value) is int and abs(value) > _LARGEST_ARGUMENT for value in every):
        raise TemplateTooLargeError(f"no number above {_LARGEST_ARGUMENT:,} may be an argument")
    lengths = sorted((len(value) for value in every if isinstance(value, str)), reverse=True)
    if "replace" in name and len(lengths) > 1 and lengths[0] * lengths[1] > 10 * MOST_CHARACTERS:
        check_size(lengths[0] * lengths[1])
    # Only functions that format read the text as a format: an article's title may contain "%99999999d".
    if "format" in name and every and isinstance(every[0], str):
        _check_format(every[0])


def _check_format(form: str) -> None:
    """Refuse a format whose width has six digits: `{:>1000000}`."""
    for place in re.findall(r"\{[^{}]*\}|%[^a-zA-Z%]*[a-zA-Z]", form):
        if _LONG_NUMBER.search(place):
            check_size(MOST_CHARACTERS + 1)
