"""DKIM signatures (RFC 6376, 8301, 8463).

Open signer.py first.
"""

from digest.mail.dkim.canonical import BodyHash, relaxed_field
from digest.mail.dkim.keys import Algorithm, SigningKey, read_key
from digest.mail.dkim.records import parse_tags, record_of, zone_lines
from digest.mail.dkim.signer import Signer, Unsigned, sign_all

__all__ = [
    "Algorithm",
    "BodyHash",
    "Signer",
    "SigningKey",
    "Unsigned",
    "parse_tags",
    "read_key",
    "record_of",
    "relaxed_field",
    "sign_all",
    "zone_lines",
]
