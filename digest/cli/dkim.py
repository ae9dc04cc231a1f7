"""The command for signing keys: dkim."""

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from digest.bootstrap import Application
from digest.cli.terminal.common import DEFAULT, AsJson, Common, application
from digest.cli.terminal.output import say, show_json
from digest.errors import UsageError
from digest.mail.dkim import Algorithm, SigningKey, record_of, zone_lines
from digest.settings.dkim import DkimSettings
from digest.settings.domains import is_aligned
from digest.tasks.composing.signing_keys import (
    default_selector,
    list_places,
    load_key,
    make_key,
    signing_domain,
)


def dkim(
    *,
    domain: str | None = None,
    selector: str | None = None,
    ed25519: Annotated[bool, Parameter(negative="")] = False,
    out: Path | None = None,
    json: AsJson = False,
    common: Common = DEFAULT,
) -> None:
    """Create a DKIM key, or show the DNS records of the configured keys.

    If keys are configured and no option is given, their records are shown again. No file is overwritten.

    Parameters
    ----------
    domain:
        The signing domain; else the one of [dkim], else From's.
    selector:
        The name of the new key's record; else one with the year and the month.
    ed25519:
        Create an Ed25519 key, to sign with in addition to RSA.
    out:
        The new key's file; else one beside the settings, named after the selector.
    """
    with application(common) as app:
        places = list_places(app.settings)
        if places and not (domain or selector or ed25519 or out):
            found = [(load_key(app.settings, place), place.path) for place in places]
            rows = [_facts(key, path, app, made=False) for key, path in found]
        else:
            rows = [_make(app, domain, selector, ed25519, out)]
    if json:
        show_json(rows)
        return
    for row in rows:
        _show(row, quiet=common.quiet)


def _make(
    app: Application, domain: str | None, selector: str | None, ed25519: bool, out: Path | None
) -> dict[str, Any]:
    algorithm = Algorithm.ED25519 if ed25519 else Algorithm.RSA
    try:
        # The settings' own rules apply to the options, before a file is written.
        asked = DkimSettings(
            domain=domain or signing_domain(app.settings),
            selector=selector or default_selector(algorithm, app.clock()),
            key_file=out or Path("dkim.pem"),
        )
    except ValueError as error:
        raise UsageError(_reason(error)) from None
    if not is_aligned(asked.domain, app.settings.site.from_domain):
        raise UsageError(
            f'--domain "{asked.domain}" does not answer for From\'s domain "{app.settings.site.from_domain}":'
            " name that, or one above or below it"
        )
    path = out or app.settings.path(f"dkim-{asked.selector}.pem")
    return _facts(make_key(asked.domain, asked.selector, algorithm, path), path, app, made=True)


def _reason(error: ValueError) -> str:
    found: list[Any] = getattr(error, "errors", list)()
    if not found or not found[0]["loc"]:
        return str(error)
    return f"--{found[0]['loc'][0]} {found[0]['msg'].removeprefix('Value error, ')}"


def _facts(key: SigningKey, path: Path, app: Application, *, made: bool) -> dict[str, Any]:
    record = record_of(key)
    prefix = "ed25519_" if key.algorithm is Algorithm.ED25519 else ""
    file = (
        path.relative_to(app.settings.folder) if path.is_relative_to(app.settings.folder) else path.absolute()
    )
    return {
        "algorithm": key.algorithm.value,
        "bits": key.size,
        "domain": key.domain,
        "selector": key.selector,
        "key_file": str(path),
        "made": made,
        "name": key.record_name,
        "value": record,
        "zone": zone_lines(key.record_name, record),
        "settings": {
            "domain": key.domain,
            f"{prefix}selector": key.selector,
            f"{prefix}key_file": str(file),
        },
    }


def _show(row: dict[str, Any], *, quiet: bool) -> None:
    kind = "RSA" if row["algorithm"] == Algorithm.RSA else "Ed25519"
    lines = [
        f"{row['key_file']}: {kind}, {row['bits']} bits" + (", made; mode 600" if row["made"] else ""),
        "",
        "publish this TXT record:",
        f"  name:  {row['name']}",
        f"  value: {row['value']}",
        "",
        "in a zone file:",
        f"  {row['zone']}",
        "",
    ]
    if row["made"]:
        lines += ["then write under [dkim] in config.toml, and check it with `digest doctor`:"]
        lines += [f'  {name} = "{value}"' for name, value in row["settings"].items()] + [""]
    for line in "\n".join(lines).split("\n")[:-1]:
        say(line, quiet=quiet)
