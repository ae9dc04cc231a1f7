"""The signing keys of this publication: read from files, or created."""

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from digest.errors import InputError, SettingsError
from digest.mail.dkim import Algorithm, Signer, SigningKey, read_key
from digest.mail.dkim.keys import SHORTEST_RSA
from digest.net.files import read_file
from digest.settings import Settings

_LARGEST_FILE = 65_536
_OTHERS = 0o077


@dataclass(frozen=True, slots=True)
class KeyPlace:
    """A key's place according to the settings."""

    algorithm: Algorithm
    selector: str
    path: Path


def list_places(settings: Settings) -> list[KeyPlace]:
    """List the keys that the settings name: RSA first, which every receiver can verify."""
    dkim = settings.dkim
    named = (
        (Algorithm.RSA, dkim.selector, dkim.key_file),
        (Algorithm.ED25519, dkim.ed25519_selector, dkim.ed25519_key_file),
    )
    return [KeyPlace(kind, selector, settings.path(file)) for kind, selector, file in named if file]


def signing_domain(settings: Settings) -> str:
    """Return the domain that signs: that of the settings, else From's."""
    return settings.dkim.domain or settings.site.from_domain


def load_key(settings: Settings, place: KeyPlace) -> SigningKey:
    """Read one key; raise SettingsError if it cannot be read or used, or if other users may read it too."""
    field = "key_file" if place.algorithm is Algorithm.RSA else "ed25519_key_file"
    where = f"[dkim] {field} {place.path}"
    try:
        content = read_file(place.path, _LARGEST_FILE)
    except InputError as error:
        raise SettingsError(f"[dkim] {field}: {error}") from None
    if place.path.stat().st_mode & _OTHERS:
        raise SettingsError(f"{where} may be read by others: `chmod 600 {place.path}`")
    return SigningKey(signing_domain(settings), place.selector, read_key(content, place.algorithm, where))


def load_signer(settings: Settings) -> Signer | None:
    """Return the signer; None if the settings name no key."""
    keys = [load_key(settings, place) for place in list_places(settings)]
    return Signer(keys) if keys else None


def default_selector(algorithm: Algorithm, now: datetime) -> str:
    """Return a selector that contains the date, so that the next key gets another."""
    return f"d{now:%Y%m}" + ("e" if algorithm is Algorithm.ED25519 else "")


def make_key(domain: str, selector: str, algorithm: Algorithm, path: Path) -> SigningKey:
    """Create a key in a file that nobody else may read; raise InputError if the file exists."""
    private = (
        rsa.generate_private_key(public_exponent=65537, key_size=SHORTEST_RSA)
        if algorithm is Algorithm.RSA
        else ed25519.Ed25519PrivateKey.generate()
    )
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        raise InputError(f"{path} exists, and no key is overwritten: name another file with --out") from None
    except OSError as error:
        raise InputError(
            f"{path} cannot be written: {(error.strerror or 'unknown').lower()}; name another with --out"
        ) from None
    return SigningKey(domain, selector, private)
