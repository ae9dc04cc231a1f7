"""Signatures: two independent verifiers accept them, and what must not be changed cannot be."""

import hashlib
import shutil
import subprocess
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from dkim.canonicalization import Relaxed
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.errors import SettingsError
from digest.mail.dkim import (
    Algorithm,
    BodyHash,
    Signer,
    SigningKey,
    parse_tags,
    read_key,
    record_of,
    relaxed_field,
    zone_lines,
)
from digest.mail.message import Composition
from digest.mail.rendering.renderer import Renderer
from tests.conftest import skip_unless_ci
from tests.support.editions import compose
from tests.support.samples import ARABIC, CONTENT, HEADERS, NOW, OWN, VALUES, hostile_text
from tests.support.standards import parse

RENDERER = Renderer(Path(__file__).parents[4] / "templates" / "email")
RENDERING = RENDERER.render(CONTENT)
RSA = SigningKey("courier.example", "r1", rsa.generate_private_key(65537, 2048))
ED25519 = SigningKey("courier.example", "e1", Ed25519PrivateKey.generate())
SIGNER = Signer((RSA, ED25519))
KINDS = {"rsa": RSA, "ed25519": ED25519}


def pem(key: object, *, password: bytes | None = None) -> bytes:
    lock = BestAvailableEncryption(password) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock)  # type: ignore[attr-defined, no-any-return]


def signed(raw: bytes, signer: Signer = SIGNER) -> bytes:
    head, _, body = raw.partition(b"\r\n\r\n")
    return signer.sign(head + b"\r\n", BodyHash(body).digest(), NOW) + raw


def published(name: bytes, timeout: int = 5) -> bytes:
    """Answer as DNS would."""
    records = {f"{key.record_name}.": record_of(key) for key in KINDS.values()}
    return records[name.decode()].encode()


def verifies(raw: bytes, number: int = 0) -> bool:
    try:
        return bool(dkim.DKIM(raw).verify(idx=number, dnsfunc=published))
    except dkim.ValidationError:
        return False


def tags(raw: bytes, number: int = 0) -> dict[str, str]:
    found = parse_tags(str(parse(raw).get_all("DKIM-Signature")[number]))  # type: ignore[index]
    assert found is not None
    return found


MESSAGE = signed(compose(RENDERING, HEADERS, OWN, VALUES))


def test_both_signatures_of_a_digest_verify() -> None:
    assert (verifies(MESSAGE, 0), verifies(MESSAGE, 1)) == (True, True)
    assert [tags(MESSAGE, n)["a"] for n in (0, 1)] == ["rsa-sha256", "ed25519-sha256"]


@settings(max_examples=60, deadline=None)
@given(name=hostile_text, subject=hostile_text)
def test_a_digest_verifies_whatever_its_values_are(name: str, subject: str) -> None:
    raw = compose(
        RENDERING, replace(HEADERS, subject=subject), replace(OWN, to_name=name), VALUES | {"name": name}
    )
    message = signed(raw, Signer((ED25519,)))
    assert verifies(message)


@settings(max_examples=100, deadline=None)
@given(name=hostile_text)
def test_composed_bodies_are_their_own_relaxed_form(name: str) -> None:
    for rendering in (RENDERING, RENDERER.render(ARABIC)):
        body = compose(rendering, HEADERS, OWN, VALUES | {"name": name}).split(b"\r\n\r\n", 1)[1]
        assert Relaxed.canonicalize_body(body) == body


def test_a_message_is_signed_by_its_two_halves_as_it_is_composed() -> None:
    message = Composition(RENDERING, HEADERS).compose(OWN, VALUES)
    signature = SIGNER.sign(message.head, BodyHash(message.body).digest(), OWN.date)
    assert signature + bytes(message) == MESSAGE


def test_a_repeat_has_the_same_bytes() -> None:
    assert signed(compose(RENDERING, HEADERS, OWN, VALUES)) == MESSAGE
    head = compose(RENDERING, HEADERS, OWN, VALUES).split(b"\r\n\r\n")[0] + b"\r\n"
    other = SIGNER.sign(head, hashlib.sha256(b"").digest(), NOW + timedelta(seconds=1))
    assert f"t={int(NOW.timestamp()) + 1};".encode() in other


def test_a_head_is_signed_the_same_with_and_without_its_empty_line() -> None:
    head = compose(RENDERING, HEADERS, OWN, VALUES).split(b"\r\n\r\n")[0] + b"\r\n"
    assert SIGNER.sign(head, b"x" * 32, NOW) == SIGNER.sign(head + b"\r\n", b"x" * 32, NOW)


@pytest.mark.parametrize(
    ("part", "other"),
    [
        (b"News", b"Mews"),
        (b"Subject: ", b"Subject: Old "),
        (b"List-Unsubscribe: <https://courier", b"List-Unsubscribe: <https://corsair"),
        (b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n", b""),
        (b"Reply-To: editors", b"Reply-To: elsewhere"),
        (b"The ferry", b"The fairy"),
        (b"--\r\n", b"--\r\nMore text.\r\n"),
        (b"From: ", b"From: Someone <else@forger.example>\r\nFrom: "),
    ],
)
def test_what_is_changed_or_added_breaks_the_signature(part: bytes, other: bytes) -> None:
    raw = compose(RENDERING, replace(HEADERS, from_name="The News"), OWN, VALUES)
    message = signed(raw)
    assert verifies(message)
    at = message.rindex(part)
    changed = message[:at] + other + message[at + len(part) :]
    assert changed != message
    assert not verifies(changed)


def test_what_relays_may_change_in_passing_breaks_nothing() -> None:
    refolded = MESSAGE.replace(b"Subject: ", b"SUBJECT:\t  ").replace(b"\r\nList-Id", b"  \r\nList-Id")
    assert verifies(refolded + b"\r\n\r\n")


def test_what_one_click_relies_on_is_signed_and_from_is_oversigned() -> None:
    names = tags(MESSAGE)["h"].replace(" ", "").split(":")
    for name in [
        "from",
        "subject",
        "to",
        "date",
        "message-id",
        "mime-version",
        "content-type",
        "reply-to",
        "list-id",
        "list-unsubscribe",
        "list-unsubscribe-post",
        "list-help",
        "list-owner",
        "list-post",
    ]:
        assert name in names
    assert names.count("from") == 2
    assert "l" not in tags(MESSAGE)
    assert "precedence" not in names


@pytest.mark.parametrize(
    "name",
    [
        "From", "Subject", "To", "Cc", "Reply-To", "Date", "Message-ID", "MIME-Version", "Content-Type",
        "List-Unsubscribe", "List-Unsubscribe-Post", "List-Id", "List-Help", "List-Owner", "List-Archive",
        "List-Post", "Auto-Submitted", "Content-Transfer-Encoding",
    ],
)  # fmt: skip
@pytest.mark.parametrize("number", [0, 1])
def test_a_field_that_is_added_breaks_each_signature(name: str, number: int) -> None:
    _, fields = MESSAGE.split(b"\r\nDate:", 1)
    signatures = MESSAGE[: -len(fields) - len(b"Date:")]
    added = signatures + name.encode() + b": <https://attacker.example/>\r\nDate:" + fields

    assert added.replace(name.encode() + b": <https://attacker.example/>\r\n", b"", 1) == MESSAGE
    assert verifies(MESSAGE, number)
    assert not verifies(added, number)


@pytest.mark.parametrize("name", ["Sender", "Received", "Return-Path", "Resent-From", "Feedback-ID"])
def test_a_field_that_relays_add_breaks_no_signature(name: str) -> None:
    added = name.encode() + b": <bounces@relay.example>\r\n" + MESSAGE

    assert verifies(added, 0)
    assert verifies(added, 1)


def test_lines_of_a_signature_are_short_and_its_header_is_before_the_others() -> None:
    lines = MESSAGE.split(b"Date: ")[0].split(b"\r\n")
    assert max(len(line) for line in lines) <= 78
    assert lines[0].startswith(b"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=courier.example;")


def test_a_field_that_stands_twice_is_signed_from_the_last_upwards() -> None:
    raw = b"From: a@courier.example\r\nList-Help: <one>\r\nX: y\r\nList-Help: <two>\r\n\r\nText.\r\n"
    assert verifies(signed(raw))


@pytest.mark.parametrize(
    ("name", "value", "relaxed"),
    [
        (b"Subject", b" Two  words \r\n\t and  a fold\r\n ", b"subject:Two words and a fold"),
        (b"SUBJect \t", b"", b"subject:"),
        (b"X", b" \r\n ", b"x:"),
    ],
)
def test_a_fields_relaxed_form(name: bytes, value: bytes, relaxed: bytes) -> None:
    assert relaxed_field(name, value) == relaxed


@given(st.lists(st.binary(max_size=9)), st.lists(st.binary(max_size=9)), st.lists(st.binary(max_size=9)))
def test_what_bodies_share_is_hashed_once(shared: list[bytes], one: list[bytes], other: list[bytes]) -> None:
    begun = BodyHash(*shared)
    for rest in (one, other):
        copy = begun.copy()
        copy.add(*rest)
        expected = hashlib.sha256(b"".join((*shared, *rest))).digest()
        assert copy.digest() == begun.digest(*rest) == expected


def test_a_key_gives_its_record_in_strings_that_dns_takes() -> None:
    record = record_of(RSA)
    line = zone_lines(RSA.record_name, record)
    strings = line.split('"')[1::2]
    assert line.startswith("r1._domainkey.courier.example. 3600 IN TXT ( ")
    assert "".join(strings) == record
    assert max(map(len, strings)) <= 255
    assert record_of(ED25519).startswith("v=DKIM1; k=ed25519; p=")


@pytest.mark.parametrize(
    ("content", "algorithm", "says"),
    [
        (b"no key", Algorithm.RSA, "is not a private key in PEM"),
        (
            pem(rsa.generate_private_key(65537, 1024)),
            Algorithm.RSA,
            "has 1024 bits, and receivers ask for 2048",
        ),
        (pem(ED25519.private), Algorithm.RSA, "is not an RSA key but"),
        (pem(RSA.private), Algorithm.ED25519, "is not an Ed25519 key but"),
        (pem(ec.generate_private_key(ec.SECP256R1())), Algorithm.ED25519, "is not an Ed25519 key but"),
        (pem(RSA.private, password=b"hush"), Algorithm.RSA, "is locked by a password"),
    ],
    ids=["garbage", "short", "ed25519 for rsa", "rsa for ed25519", "another kind", "locked"],
)
def test_a_key_that_may_not_sign_is_refused_in_one_line(
    content: bytes, algorithm: Algorithm, says: str
) -> None:
    with pytest.raises(SettingsError) as error:
        read_key(content, algorithm, "key.pem")
    assert str(error.value).startswith("key.pem ")
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_a_key_tells_no_secret_when_printed() -> None:
    assert "PRIVATE" not in repr(SIGNER.keys)
    assert str(RSA.private.private_numbers().d) not in repr(SIGNER.keys)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("record", "found"),
    [
        ("v=DKIM1; k=rsa; p=AB CD=", {"v": "DKIM1", "k": "rsa", "p": "AB CD="}),
        ("v=DKIM1; p=;", {"v": "DKIM1", "p": ""}),
        (" v = DMARC1 ;p=none", {"v": "DMARC1", "p": "none"}),
        ("v=DKIM1; p=a; p=b", None),
        ("no tags", None),
        ("v=DKIM1;;p=a", None),
    ],
)
def test_tags_are_read_as_they_are_written(record: str, found: dict[str, str] | None) -> None:
    assert parse_tags(record) == found


@pytest.mark.parametrize("changed", [False, True])
def test_opendkim_agrees(tmp_path: Path, changed: bool) -> None:
    program = shutil.which("opendkim", path="/usr/sbin:/usr/bin")
    if program is None:
        skip_unless_ci("no opendkim here: install Debian's opendkim")
    assert program is not None
    keys, message, options = (tmp_path / name for name in ("keys", "message", "opendkim.conf"))
    keys.write_text(f"{RSA.record_name} {record_of(RSA)}\n")
    options.write_text(f"Mode v\nTestPublicKeys {keys}\nTemporaryDirectory {tmp_path}\n")
    raw = signed(compose(RENDERING, HEADERS, OWN, VALUES), Signer((RSA,)))
    message.write_bytes(raw.replace(b"The ferry", b"The fairy") if changed else raw)

    done = subprocess.run(
        [program, "-x", str(options), "-v", "-t", str(message)], capture_output=True, text=True, timeout=30
    )

    said = done.stdout + done.stderr
    assert ("2048-bit key) succeeded" in said) is not changed, said
