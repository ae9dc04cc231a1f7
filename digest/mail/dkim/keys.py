"""The keys that sign messages, and which keys are acceptable."""

import base64
from dataclasses import dataclass
from enum import StrEnum

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from digest.errors import SettingsError

SHORTEST_RSA = 2048
LONGEST_RSA = 4096
"""Receivers must verify RSA keys up to this size, and may ignore larger ones (RFC 8301 3.2)."""

_PADDING, _DIGEST = PKCS1v15(), Prehashed(SHA256())


class Algorithm(StrEnum):
    """The algorithm of a key, as `a=` in a signature names it (RFC 6376 3.3.2, RFC 8463 3)."""

    RSA = "rsa-sha256"
    ED25519 = "ed25519-sha256"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key with the DNS name of its public key; its `repr` contains no secret."""

    domain: str
    selector: str
    private: RSAPrivateKey | Ed25519PrivateKey

    @property
    def algorithm(self) -> Algorithm:
        """Return the key's algorithm."""
        return Algorithm.RSA if isinstance(self.private, RSAPrivateKey) else Algorithm.ED25519

    @property
    def size(self) -> int:
        """Return the key's length in bits."""
        return self.private.key_size if isinstance(self.private, RSAPrivateKey) else 256

    @property
    def signature_size(self) -> int:
        """Return the length of its signatures in bytes: an RSA key's own (RFC 8017 8.2), or 64 (RFC 8032
        5.1.6)."""
        return (self.size + 7) // 8 if self.algorithm is Algorithm.RSA else 64

    @property
    def record_name(self) -> str:
        """Return the name of the key's DNS record (RFC 6376 3.6.2.1)."""
        return f"{self.selector}._domainkey.{self.domain}"

    @property
    def public(self) -> str:
        """Return the public key for a record's `p=`: SubjectPublicKeyInfo for RSA, the 32 bytes for
        Ed25519."""
        public = self.private.public_key()
        if self.algorithm is Algorithm.ED25519:
            return base64.b64encode(public.public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()
        return base64.b64encode(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()

    def is_public_key(self, found: bytes) -> bool:
        """Return whether bytes are this key's public key, in either form in which RSA keys are published."""
        forms = [base64.b64decode(self.public)]
        if self.algorithm is Algorithm.RSA:
            forms.append(self.private.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1))
        return found in forms

    def sign(self, digest: bytes) -> bytes:
        """Sign content by its SHA-256; the same always gets the same signature (RFC 8017 8.2, RFC 8032
        5.1.6)."""
        if isinstance(self.private, RSAPrivateKey):
            return self.private.sign(digest, _PADDING, _DIGEST)
        return self.private.sign(digest)  # RFC 8463 3


def read_key(pem: bytes, algorithm: Algorithm, where: str) -> RSAPrivateKey | Ed25519PrivateKey:
    """Read a private key that is acceptable; raise SettingsError, which begins with `where`, for any other.

    RSA keys must have 2048 bits or more: receivers need not accept 1024, and refuse less (RFC 8301 3.2).
    """
    try:
        key = load_pem_private_key(pem, password=None)
    except TypeError:
        raise SettingsError(
            f"{where} is locked by a password: save the key without one, with mode 600"
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise SettingsError(f"{where} is not a private key in PEM: `digest dkim` makes one") from None
    kind = {Algorithm.RSA: RSAPrivateKey, Algorithm.ED25519: Ed25519PrivateKey}[algorithm]
    if not isinstance(key, kind):
        wanted = "RSA" if algorithm is Algorithm.RSA else "Ed25519"
        raise SettingsError(
            f"{where} is not an {wanted} key but {type(key).__name__}: `digest dkim` makes one"
        )
    if isinstance(key, RSAPrivateKey) and key.key_size < SHORTEST_RSA:
        raise SettingsError(
            f"{where} has {key.key_size} bits, and receivers ask for {SHORTEST_RSA}: `digest dkim` makes one"
        )
    assert isinstance(key, RSAPrivateKey | Ed25519PrivateKey)  # noqa: S101 - checked above, for the types
    return key
