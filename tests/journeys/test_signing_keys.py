"""An operator makes signing keys, publishes them and sets them."""

import stat

import pytest

from digest.bootstrap import Application
from digest.errors import SettingsError
from digest.settings import load_settings
from tests.support.newsroom import Publication

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def set_keys(publication: Publication, *rows: dict[str, str]) -> None:
    lines = {f'{name} = "{value}"' for row in rows for name, value in row.items()}
    publication.change_settings("[web]", "[dkim]\n" + "\n".join(sorted(lines)) + "\n[web]")


def test_keys_are_made_set_and_shown_again(publication: Publication) -> None:
    (one,) = publication.facts("dkim", "--selector", "r1")
    (other,) = publication.facts("dkim", "--ed25519", "--selector", "e1")
    assert stat.S_IMODE((publication.folder / "dkim-r1.pem").stat().st_mode) == 0o600
    assert (one["algorithm"], one["bits"], one["made"]) == ("rsa-sha256", 2048, True)
    assert other["name"] == "e1._domainkey.courier.example"

    set_keys(publication, one["settings"], other["settings"])
    shown = publication.facts("dkim")

    assert [row["value"] for row in shown] == [one["value"], other["value"]]
    assert [row["made"] for row in shown] == [False, False]
    signer = Application(load_settings(publication.config)).signer
    assert signer is not None
    assert [key.record_name for key in signer.keys] == [one["name"], other["name"]]


def test_what_is_printed_is_what_to_publish_and_to_write(publication: Publication) -> None:
    said = publication.run("dkim", "--selector", "r1")
    assert "  name:  r1._domainkey.courier.example\n  value: v=DKIM1; k=rsa; p=MII" in said
    assert 'r1._domainkey.courier.example. 3600 IN TXT ( "v=DKIM1; k=rsa; p=' in said
    assert (
        'under [dkim] in config.toml, and check it with `digest doctor`:\n  domain = "courier.example"\n  selector = "r1"\n  key_file = "dkim-r1.pem"\n'
        in said
    )
    assert "PRIVATE" not in said


def test_a_key_is_never_overwritten(publication: Publication) -> None:
    publication.run("dkim", "--selector", "r1")
    before = (publication.folder / "dkim-r1.pem").read_bytes()
    said = publication.run("dkim", "--selector", "r1", code=1)
    assert "dkim-r1.pem exists, and no key is overwritten: name another file with --out\n" in said
    assert (publication.folder / "dkim-r1.pem").read_bytes() == before


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--selector", "a b"), "--selector must be a name of a-z, 0-9 and -"),
        (("--domain", "corsair.example"), '--domain "corsair.example" does not answer for From\'s domain'),
        (("--domain", "courier"), "--domain is not a domain"),
    ],
)
def test_a_record_that_could_not_be_used_is_not_made(
    publication: Publication, options: tuple[str, ...], says: str
) -> None:
    assert says in publication.run("dkim", *options, code=2)
    assert not list(publication.folder.glob("*.pem"))


def test_a_key_that_others_may_read_is_refused_with_the_remedy(publication: Publication) -> None:
    (row,) = publication.facts("dkim", "--selector", "r1")
    set_keys(publication, row["settings"])
    path = publication.folder / "dkim-r1.pem"
    path.chmod(0o640)

    said = publication.run("dkim", code=2)

    assert said == f"[dkim] key_file {path} may be read by others: `chmod 600 {path}`\n"


def test_a_key_that_is_missing_stops_before_anything_is_sent(publication: Publication) -> None:
    set_keys(publication, {"selector": "r1", "key_file": "none.pem"})
    with pytest.raises(SettingsError, match=r"\[dkim\] key_file: .*none.pem cannot be read"):
        _ = Application(load_settings(publication.config)).signer


def test_nothing_is_signed_where_no_key_is_set(publication: Publication) -> None:
    assert Application(load_settings(publication.config)).signer is None
