"""Where the bounces of our messages go, as the settings say."""

from digest.rules.delivery.return_paths import ReturnPaths
from digest.settings import Settings


def return_paths(settings: Settings) -> ReturnPaths:
    """Give how return paths are written: one a delivery where bounces come in, else one for all."""
    inbound = settings.inbound
    if inbound.is_verp:
        return ReturnPaths(inbound.before, inbound.domain, settings.web.signing_keys)
    return ReturnPaths("", "", (), plain=inbound.address or settings.site.from_address)
