"""Check which features of the looks some mail clients lack."""

from collections.abc import Iterator
from dataclasses import replace

from digest.errors import DigestError
from digest.mail.rendering.client_support import Feature
from digest.mail.rendering.renderer import Renderer
from digest.settings import Settings
from digest.tasks.doctor.findings import Finding, ok, warn
from digest.tasks.doctor.scope import Scope
from digest.tasks.doctor.templates import list_extremes, written

_MOST_NAMED = 4


def examine_mail_programs(scope: Scope) -> list[Finding]:
    """Check for each look whether it depends on features that some mail clients lack."""
    renderer = scope.renderer()
    return [_examine_look(renderer, scope.settings, look) for look in renderer.list_looks()]


def _examine_look(renderer: Renderer, settings: Settings, look: str) -> Finding:
    used: dict[str, Feature] = {}
    try:
        for html in _messages(renderer, settings, look):
            used.update((feature.title, feature) for feature in renderer.clients.find(html))
    except DigestError as error:
        return warn("mail-programs", f"{look} cannot be checked: {error}", "correct the template")
    except Exception as error:  # noqa: BLE001 - a template may raise whatever its expressions do
        found = f"{look} cannot be checked: {type(error).__name__}: {error}"
        return warn("mail-programs", found, "correct the template")
    return judge_look(look, list(used.values()))


def judge_look(look: str, used: list[Feature]) -> Finding:
    """Judge what a look uses: a feature with a reason may be missing, any other has a remedy."""
    strange = [feature for feature in used if not feature.reason]
    if not strange:
        known = ", ".join(feature.title for feature in used) or "nothing"
        return ok("mail-programs", f"{look}: a message is whole without what some do not know: {known}")
    said = [f"{one.title} is unknown to {one.unknown_to}" for one in strange[:_MOST_NAMED]]
    more = [f"and {len(strange) - _MOST_NAMED} more"] if len(strange) > _MOST_NAMED else []
    remedies = dict.fromkeys(f"{one.title}: {one.remedy}" for one in strange[:_MOST_NAMED])
    return warn("mail-programs", f"{look}: {'; '.join([*said, *more])}", "; ".join(remedies))


def _messages(renderer: Renderer, settings: Settings, look: str) -> Iterator[str]:
    """Yield the look's messages, one for each kind of content; a few articles use the same features as
    many."""
    for name, content in list_extremes(settings, settings.digests[0]).items():
        if name != "200 articles":
            yield written(renderer.render(replace(content, look=look)), "html")
