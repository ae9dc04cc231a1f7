"""The links in a proof: GET shows what they do, POST does it. Their token is the only credential."""

from fastapi import Request
from starlette.responses import Response

from digest.errors import InputError
from digest.tasks.desk.draft_versions import ChangedMeanwhile
from digest.tasks.desk.proofs import ProofAct, ProofLink, find_proof_link, follow_proof_link
from digest.web.desk.pages import DeskPages


class ProofLinkPages:
    """The pages behind a proof's links."""

    def __init__(self, front: DeskPages) -> None:
        self._front = front

    def show(self, token: str) -> Response:
        """Show what a link does, with the button that does it."""
        offer = find_proof_link(self._front.desk, token, self._front.now())
        if offer is None:
            return self._gone()
        entry = self._front.entry(offer.name)
        changed = offer.act is ProofAct.APPROVE and entry.draft.version != offer.version
        if changed or not entry.is_open:
            return self._changed(offer, "was changed" if entry.is_open else "was made")
        verb = "Approve" if offer.act is ProofAct.APPROVE else "Hold"
        return self._front.pages.render(
            "desk/offer", title=f"{verb} {entry.digest.title}?", verb=verb, entry=entry, editor=offer.editor
        )

    def take(self, request: Request, token: str) -> Response:
        """Do what a link is for."""
        self._front.gate.same_origin(request)
        offer = find_proof_link(self._front.desk, token, self._front.now())
        if offer is None:
            return self._gone()
        self._front.entry(offer.name)
        try:
            follow_proof_link(self._front.desk, offer, self._front.now())
        except ChangedMeanwhile:
            return self._changed(offer, "was changed")
        except InputError:
            return self._changed(offer, "was made")
        approved = offer.act is ProofAct.APPROVE
        return self._front.pages.say(
            "Approved" if approved else "On hold",
            "It is sent at its deadline. Any edit cancels the approval."
            if approved
            else "It is not sent until somebody releases it on the desk.",
            link=offer.name.path,
            link_text="Open it on the desk",
        )

    def _changed(self, offer: ProofLink, what: str) -> Response:
        return self._front.pages.say(
            f"The edition {what} after this proof",
            "Nothing was done. See its present state.",
            status=409,
            link=offer.name.path,
            link_text="Open it on the desk",
        )

    def _gone(self) -> Response:
        return self._front.pages.say(
            "This link is no longer valid",
            "It expires at the next deadline, or when its editor may no longer do this.",
            status=410,
            link="/desk",
            link_text="The desk",
        )
