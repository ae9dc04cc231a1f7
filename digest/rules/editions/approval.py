"""Whether an edition is held at its deadline, by the digest's policy and the editors' acts."""

from digest.models import Approval, Draft


def why_held(policy: str, draft: Draft | None) -> str:
    """Return why an edition is held at its deadline; "" if it is to be compiled."""
    if policy == Approval.SEND:
        return ""
    if draft is not None and draft.held_by:
        return f"held by {draft.held_by}"
    if policy == Approval.REQUIRE and not (draft is not None and draft.is_approved):
        changed = draft is not None and draft.approved_version is not None
        return "it was changed after its approval" if changed else "nobody has approved it"
    return ""
