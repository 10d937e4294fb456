"""An issuing CA whose key was stolen, on every nginx: revoked, and nobody whom it ever issued a certificate gets in."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from command import counterseal, here
from counterseal.authority.revoke_ca import revoke_ca
from counterseal.compose.home import open_authority
from counterseal.pki.crl import RevocationReason
from nginx_process import nginx_binary
from ports import free_port
from programs import run_program

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.nginx

__all__ = ["nginx_binary"]

SITES = """\
[nginx]
binary = "{nginx}"
[sites.panel]
server_names = ["panel.test"]
listen = ["127.0.0.1:{web}"]
upstream = "127.0.0.1:1"
[sites.shop]
server_names = ["shop.test"]
listen = ["127.0.0.1:{web}"]
client_cas = ["clients", "partners"]
revocation = "map"
upstream = "127.0.0.1:1"
[sites.db]
kind = "stream"
server_names = ["db.test"]
listen = ["127.0.0.1:{stream}"]
upstream = "127.0.0.1:1"
"""


@pytest.fixture
def home(tmp_path: Path, nginx_binary: Path) -> Iterator[Path]:
    """Make a CA with two client CAs and deploy the sites, put the root's key away, and stop their nginx in the end."""
    home, out = tmp_path / "home", str(tmp_path / "out")
    assert here(home, "init", "--no-passphrase").code == 0
    assert here(home, "ca", "add", "partners", "--purpose", "client", "--no-passphrase").code == 0
    for name, issuer in (("ann", "clients"), ("eve", "partners"), ("pam", "partners")):
        assert here(home, "client", name, "--issuer", issuer, "--no-p12", "--out", out).code == 0
    (home / "counterseal.toml").write_text(SITES.format(nginx=nginx_binary, web=free_port(), stream=free_port()))
    deployed = counterseal(home, "nginx", "deploy")
    assert deployed.code == 0, deployed.stderr
    (home / "keys" / "root.key.pem").rename(tmp_path / "root.key.pem")
    yield home
    counterseal(home, "nginx", "stop")


def answer_to(home: Path, name: str, site: str) -> str:
    """Return what nginx answers a visitor of a site: 502 where he is let in, as nobody is behind it."""
    port = re.search(r"127.0.0.1:(\d+)", (home / "counterseal.toml").read_text())
    assert port is not None
    out = home.parent / "out"
    identity = ["--cert", f"{out / name}.fullchain.pem", "--key", f"{out / name}.key.pem"]
    to = ["--resolve", f"{site}:{port[1]}:127.0.0.1", "--cacert", str(out / "ca.pem")]
    shown = ["-sS", "-o", "/dev/null", "-w", "%{http_code}"]
    return run_program("curl", *shown, *to, *identity, f"https://{site}:{port[1]}/", cwd=home)


def rows_of(home: Path, *site: str) -> list[dict[str, Any]]:
    """Prove, and return all rows."""
    document = json.loads(here(home, "prove", *site, "--json").stdout)
    return [row for proof in document["proofs"] for row in proof["rows"]]


def test_a_stolen_ca_opens_nothing_and_nothing_gets_stuck(home: Path) -> None:
    """Without the root's key, too, whose list says it later: at a site that is left with no CA, with one, and a stream.

    Then others are revoked as before, the stolen key destroyed, and refresh puts in force what was not.
    """
    visits = [("ann", "panel.test"), ("ann", "shop.test"), ("eve", "shop.test"), ("pam", "shop.test")]
    assert [answer_to(home, *visit) for visit in visits] == ["502"] * 4
    asked = here(home, "ca", "revoke", "clients")
    assert (asked.code, "hint: revoke it unasked with --yes" in asked.stderr) == (2, True)
    revoked = counterseal(home, "ca", "revoke", "clients", "--reason", "key_compromise", "--yes", "--json")
    assert revoked.code == 0, revoked.stdout
    document = json.loads(revoked.stdout)
    told = {key: document[key] for key in ("valid_certificates", "sites", "generation", "unmet")}
    assert told == {"valid_certificates": 1, "sites": ["panel", "shop", "db"], "generation": 2, "unmet": []}
    assert (document["ca"]["state"], document["ca"]["revocation_reason"]) == ("revoked", "key_compromise")
    assert [answer_to(home, *visit) for visit in visits] == ["400", "400", "502", "502"]
    rows = rows_of(home)
    tried = [(row["site"], row["tls"]) for row in rows if (row["kind"], row["result"]) == ("revoked-ca", "passed")]
    assert tried == [(site, version) for site in ("panel", "shop", "db") for version in ("1.2", "1.3")]
    assert all(row["result"] != "failed" for row in rows)
    (home / "keys" / "clients.key.pem").unlink()
    assert counterseal(home, "revoke", "eve").code == 0
    assert [answer_to(home, *visit) for visit in visits] == ["400", "400", "400", "502"]
    with open_authority(home, lambda: None) as authority:  # a command that is killed before it has put that in force
        revoke_ca(authority, "partners", RevocationReason.KEY_COMPROMISE)
    assert [row["title"] for row in rows_of(home, "shop") if row["result"] == "failed"] == [
        "good certificate of a revoked CA: partners"
    ] * 2
    refreshed = counterseal(home, "refresh")
    assert refreshed.code == 0, refreshed.stderr
    assert [answer_to(home, *visit) for visit in visits] == ["400"] * 4
    readmitting = here(home, "nginx", "rollback", "--to", "1")
    assert (readmitting.code, "let in again" in readmitting.stderr) == (4, True), readmitting.stderr
