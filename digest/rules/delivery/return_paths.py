"""Return paths: one for each delivery, so that a bounce says whose it is (VERP), or one for all."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from digest.rules.tokens import tokens


@dataclass(frozen=True, slots=True)
class ReturnPaths:
    """Writes and reads return paths; `before` precedes the token, and is empty for a catch-all domain.

    If `plain` is given, it is the return path of every message.
    """

    before: str
    domain: str
    keys: tuple[bytes, ...] = field(repr=False)
    plain: str = ""

    def write(self, public_id: str, named: Sequence[str]) -> str:
        """Return the return path (MAIL FROM) of one message to one reader."""
        if self.plain:
            return self.plain
        return f"{self.before}{tokens.sign_return(self.keys, public_id, named)}@{self.domain}"

    def find_token(self, address: str) -> str | None:
        """Return the token in the address that a bounce was sent to; None if it is not one of ours.

        Relays may have changed the case of any letter (RFC 5321 2.4 forbids it, and they do).
        """
        if self.plain:
            return None
        local, _, domain = address.lower().rpartition("@")
        before = self.before.lower()
        if domain.rstrip(".") != self.domain.lower() or not local.startswith(before):
            return None
        token = local[len(before) :]
        return token if tokens.read_return(token) else None
