"""Sites as people configure them, deployed and proved with the command line on a real nginx."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING, Any

import pytest

from command import counterseal, here
from ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SITES = """\
[sites.panel]
server_names = ["panel.test"]
listen = ["127.0.0.1:{port}"]
upstream = "127.0.0.1:1"
allow = {{ groups = ["ops"] }}
admit = "{admit}"
revocation = "{revocation}"

[sites.app]
server_names = ["app.test"]
listen = ["127.0.0.1:{port}"]
upstream = "127.0.0.1:1"
identity_headers = "rfc9440"

[sites.open]
server_names = ["open.test"]
listen = ["127.0.0.1:{port}"]
client_certificates = "optional"
client_cas = ["partners"]
root = "{root}"

[[sites.open.locations]]
path = "/admin/"
client_certificates = "required"
"""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """Make a CA with one more client CA; stop its nginx in the end."""
    home = tmp_path / "home"
    assert here(home, "init", "--no-passphrase").code == 0
    assert here(home, "ca", "add", "partners", "--purpose", "client").code == 0
    yield home
    here(home, "nginx", "stop")


@pytest.mark.nginx
@pytest.mark.parametrize(("admit", "revocation"), [("valid", "auto"), ("known", "map"), ("valid", "crl")])
def test_two_sites_on_one_socket_are_proved(home: Path, tmp_path: Path, admit: str, revocation: str) -> None:
    """Two client CAs, allow list, identity headers, protected path: all rows pass, also after a revocation."""
    text = SITES.format(port=free_port(), root=tmp_path, admit=admit, revocation=revocation)
    (home / "counterseal.toml").write_text(text)
    deployed = counterseal(home, "nginx", "deploy", "--json")
    assert deployed.code == 0, deployed.stderr
    assert counterseal(home, "client", "ann", "--no-p12", "--out", str(tmp_path / "out")).code == 0
    revoked = counterseal(home, "revoke", "ann", "--json")
    assert revoked.code == 0, revoked.stderr
    assert json.loads(revoked.stdout)["generation"] == 2
    proved = counterseal(home, "prove", "--json")
    assert proved.code == 0, proved.stdout
    rows = [row for proof in json.loads(proved.stdout)["proofs"] for row in proof["rows"]]
    kinds = {row["kind"] for row in rows if row["result"] == "passed"}
    assert {"no-certificate", "good", "expired", "foreign", "revoked", "other-client-ca"} <= kinds
    assert ("unlisted" in kinds) == (admit == "known")
    forged = {row["site"]: row["result"] for row in rows if row["kind"] == "forged-headers"}
    assert forged == {"panel": "passed", "app": "passed"}  # also behind the allow list that no probe is on
    for rehearsing in ((), ("--dry-run",)):
        refused = counterseal(home, "nginx", "rollback", *rehearsing)
        assert (refused.code, "let in again who was revoked after it: ann\n" in refused.stderr) == (4, True)
    back = counterseal(home, "nginx", "rollback", "--readmit", "--json")
    assert back.code == 0, back.stderr
    assert json.loads(back.stdout)["generation"] == 1
    ended = counterseal(home, "refresh")
    assert (ended.code, "generation 1, which was rolled back to, is replaced" in ended.stderr) == (0, True), (
        ended.stderr
    )


@pytest.mark.nginx
def test_a_list_of_known_certificates_follows_the_store_and_may_not_know_too_many(home: Path, tmp_path: Path) -> None:
    """What is issued later is told by refresh. With the probe on it that it must leave out, the proof fails."""
    text = SITES.format(port=free_port(), root=tmp_path, admit="known", revocation="auto")
    (home / "counterseal.toml").write_text(text)
    assert counterseal(home, "nginx", "deploy").code == 0
    made = counterseal(home, "client", "late", "--no-p12", "--out", str(tmp_path / "out"))
    assert "site panel admits only certificates that it has been told of" in made.stderr
    known = home / "nginx" / "current" / "maps" / "known.map"
    (late,) = json.loads(counterseal(home, "list", "--name", "late", "--json").stdout)["certificates"]
    assert late["serial_number"] not in known.read_text()
    assert counterseal(home, "refresh").code == 0
    assert late["serial_number"] in known.read_text()
    assert counterseal(home, "refresh").stdout.strip() == "nothing is due"
    listed = json.loads(
        counterseal(home, "list", "--status", "valid", "--name", "probe:unlisted:clients", "--probes", "--json").stdout
    )
    serial = listed["certificates"][0]["serial_number"]
    assert serial not in known.read_text()
    aside = known.with_suffix(".new")  # a new file: since 1.27.2 the same one within a second counts as unchanged
    aside.write_text(f"{known.read_text()}1:{serial} 1;\n")
    aside.replace(known)
    os.kill(int((home / "nginx" / "run" / "nginx.pid").read_text()), signal.SIGHUP)
    proved = _wait_for_failure(home)
    failed = {
        (row["site"], row["kind"]) for proof in proved["proofs"] for row in proof["rows"] if row["result"] == "failed"
    }
    assert failed == {("panel", "unlisted")}


def _wait_for_failure(home: Path) -> dict[str, Any]:
    """Prove until the reload has been carried out; it takes nginx a moment, and nobody tells when."""
    for _ in range(40):
        proved: dict[str, Any] = json.loads(counterseal(home, "prove", "--json").stdout)
        if not proved["passed"]:
            return proved
    pytest.fail("every proof passed although the list knows the probe that it must not know")


@pytest.mark.nginx
def test_a_faulty_configuration_names_every_fault(home: Path) -> None:
    """Unknown keys with a suggestion, wrong values with the choices; exit code 2, nothing deployed."""
    faulty = [
        "[sites.x]",
        'server_name = ["x"]',
        'listen = ["1"]',
        "[nginx]",
        "binary = 3",
        "[ca]",
        'crl_lifetme = "7d"',
    ]
    (home / "counterseal.toml").write_text("\n".join(faulty))
    ran = counterseal(home, "nginx", "deploy")
    assert ran.code == 2
    assert "did you mean 'server_names'?" in ran.stderr
    assert "did you mean 'crl_lifetime'?" in ran.stderr
    assert "sites.x" in ran.stderr
    assert "nginx" in ran.stderr
    assert not (home / "nginx").exists()


@pytest.mark.nginx
def test_a_site_is_added_by_command_and_deployed(home: Path, tmp_path: Path) -> None:
    """As it stands in the answer; one that is wrong is not written, and what was there is not touched."""
    where = ("--listen", f"127.0.0.1:{free_port()}", "--root", str(tmp_path))
    added = counterseal(home, "nginx", "add", "panel.test", *where, "--client-ca", "partners", "--json")
    assert added.code == 0, added.stderr
    text = (home / "counterseal.toml").read_text()
    assert json.loads(added.stdout)["added"] == text
    deployed = counterseal(home, "nginx", "deploy", "--json")
    assert deployed.code == 0, deployed.stderr
    rows = {row["kind"]: row["result"] for proof in json.loads(deployed.stdout)["proofs"] for row in proof["rows"]}
    assert rows["good"] == rows["no-certificate"] == rows["other-client-ca"] == "passed"
    for wrong, code, words in [
        (("panel.test", *where), 2, "there is a site of this name already: 'panel'"),
        (("app.test", *where, "--client-ca", "nobody"), 1, "a client CA that does not exist: 'nobody'"),
        (("app.test",), 2, "nothing to serve: neither upstream nor root"),
        (("app.test", *where, "--name", 'a"]\nx'), 2, "not a site name: 'a\"]\\nx'"),
        (("app.test", *where, "--name", "pa nel"), 2, "not a site name: 'pa nel'"),
        (("10.0.0.1", *where), 2, "an IP address is no server name: '10.0.0.1'"),
    ]:
        refused = counterseal(home, "nginx", "add", *wrong)
        assert (refused.code, words in refused.stderr) == (code, True), refused.stderr
        assert (home / "counterseal.toml").read_text() == text
    (home / "counterseal.toml").rename(home / "elsewhere.toml")
    (home / "counterseal.toml").symlink_to("elsewhere.toml")
    (home / "elsewhere.toml").write_text(f"# [sites.app] is to come\n{text}")
    (tmp_path / "nginx.conf").touch()
    added = counterseal(home, "nginx", "add", "app.test", *where, "--nginx", str(tmp_path / "nginx.conf"), "--json")
    assert added.code == 0, added.stderr
    told = json.loads(added.stdout)["added"]
    assert (home / "elsewhere.toml").read_text() == f"# [sites.app] is to come\n{text}\n{told}"
    assert told.startswith("[nginx]\n")
    assert (home / "counterseal.toml").is_symlink()
    (home / "elsewhere.toml").write_text("sites = {}\n")
    refused = counterseal(home, "nginx", "add", "panel.test", *where)
    assert (refused.code, "a table cannot be added at the end of" in refused.stderr) == (2, True), refused.stderr
    assert (home / "elsewhere.toml").read_text() == "sites = {}\n"
