"""Check the signing keys: usable, and published correctly."""

import base64
import binascii

from digest.errors import SettingsError
from digest.mail.dkim import Algorithm, SigningKey, parse_tags, record_of
from digest.mail.dkim.keys import LONGEST_RSA
from digest.net.dns import Records
from digest.tasks.composing.signing_keys import list_places, load_key
from digest.tasks.doctor.dns_names import UNREACHABLE
from digest.tasks.doctor.findings import Finding, fail, ok, warn
from digest.tasks.doctor.scope import Scope

_UNSIGNED = "`digest dkim` makes a key and says what to publish; leave it out only where the relay signs"


def examine_keys(scope: Scope) -> list[Finding]:
    """Check each key that the settings name."""
    places = list_places(scope.settings)
    found = []
    for place in places:
        try:
            found.append(judge_key(load_key(scope.settings, place)))
        except SettingsError as error:
            found.append(fail("signing-keys", str(error), "nothing is sent until this is fixed"))
    if not places:
        found.append(warn("signing-keys", "none is set: messages leave without a signature", _UNSIGNED))
    if places and all(place.algorithm is Algorithm.ED25519 for place in places):
        remedy = "set an RSA key beside it: `digest dkim`"
        found.append(warn("signing-keys", "there is no RSA key, and many receivers verify no other", remedy))
    return found


def judge_key(key: SigningKey) -> Finding:
    """Judge a key that can be used."""
    kind = "RSA" if key.algorithm is Algorithm.RSA else "Ed25519"
    found = f"{key.selector}: {kind}, {key.size} bits, readable by its owner alone"
    if key.size > LONGEST_RSA:
        remedy = f"use 2048 to {LONGEST_RSA} bits: receivers need not verify longer keys (RFC 8301 3.2)"
        return warn("signing-keys", found, remedy)
    return ok("signing-keys", found)


def examine_records(scope: Scope) -> list[Finding]:
    """Query the record of each usable key."""
    found, resolver = [], scope.resolver
    for place in list_places(scope.settings):
        try:
            key = load_key(scope.settings, place)
        except SettingsError:
            continue  # the check `signing-keys` reports it
        found.append(judge_record(key, resolver.texts(key.record_name)))
    return found


def judge_record(key: SigningKey, records: Records) -> Finding:
    """Judge what is published for a key (RFC 6376 3.6.1, 3.6.2)."""
    name, publish = key.record_name, f"publish: {record_of(key)}"
    if records.trouble:
        return fail("dkim", f"{name}: {records.trouble}", UNREACHABLE)
    if not records:
        return fail("dkim", f"{name} has no TXT record", publish)
    if len(records) > 1:
        return fail("dkim", f"{name} has {len(records)} TXT records", "leave one, for this key alone")
    fault = find_fault(key, parse_tags(records[0]))
    if fault:
        return fail("dkim", f"{name} {fault}", publish)
    if "y" in (parse_tags(records[0]) or {}).get("t", "").split(":"):
        return warn("dkim", f"{name} is our key, and says that it is a test", "remove t=y from the record")
    return ok("dkim", f"{name} is our key")


def find_fault(key: SigningKey, tags: dict[str, str] | None) -> str:
    """Find what keeps receivers from verifying with a record; "" if nothing does."""
    if tags is None or tags.get("v", "DKIM1") != "DKIM1" or ("v" in tags and next(iter(tags)) != "v"):
        return "is not a DKIM record"
    kind = "rsa" if key.algorithm is Algorithm.RSA else "ed25519"
    if tags.get("k", "rsa") != kind:
        return f"is for another kind of key (k={tags.get('k', 'rsa')}, ours is {kind})"
    if not tags.get("p"):
        return "is revoked (p= is empty)" if "p" in tags else "holds no key"
    if "sha256" not in tags.get("h", "sha256").split(":"):
        return "does not allow SHA-256"
    if not {"*", "email"} & set(tags.get("s", "*").split(":")):
        return "is not for e-mail"
    try:
        published = base64.b64decode("".join(tags["p"].split()), validate=True)
    except (binascii.Error, ValueError):
        return "holds a key that is not base64"
    return "" if key.is_public_key(published) else "holds another key than ours"
