"""Revoking a CA from the command line: what is asked first, and what every command says afterwards."""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING

import pytest

from command import here, write_secret
from counterseal.compose.home import open_authority
from listening import listening
from meeting import PATIENCE
from ports import free_port
from rehearsing import snapshot

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow
SITE = """\
[sites.panel]
server_names = ["panel.test"]
listen = ["127.0.0.1:{port}"]
root = "/srv"
"""


class _Terminal(io.StringIO):
    """Answers questions as a person does."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a home with a CA and a client, and stand in a directory of its own."""
    monkeypatch.chdir(tmp_path)
    home = tmp_path / "home"
    assert here(home, "init", "--no-passphrase").code == 0
    assert here(home, "client", "ann", "--no-p12").code == 0
    return home


def state(home: Path) -> str:
    """Return how the CA for clients stands."""
    answer: str = json.loads(here(home, "ca", "show", "clients", "--json").stdout)["ca"]["state"]
    return answer


def test_it_is_asked_for_twice(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its own command, and once more there with what hangs on it; without a terminal only with --yes."""
    refused = here(home, "revoke", "clients")
    assert (refused.code, "hint: to revoke it with all that it issued: " in refused.stderr) == (4, True)
    assert (here(home, "ca", "revoke", "clients").code, state(home)) == (2, "active")
    rehearsed = here(home, "ca", "revoke", "clients", "--dry-run")
    first = "would revoke CA clients (as unspecified), for good: 1 valid certificate with it"
    assert (rehearsed.stdout.splitlines()[0], state(home)) == (first, "active")
    for answer, code, then in (("n\n", 1, "active"), ("y\n", 0, "revoked")):
        monkeypatch.setattr(sys, "stdin", _Terminal(answer))
        asked = here(home, "ca", "revoke", "clients")
        assert (asked.code, first in asked.stderr, state(home)) == (code, True, then)
    assert here(home, "ca", "revoke", "clients").code == 4


@pytest.mark.nginx
def test_what_is_refused_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No row, no list, no entry of the log and no generation: the home is the same octet for octet."""
    home, config = tmp_path / "home", tmp_path / "home" / "counterseal.toml"
    right, wrong = (write_secret(tmp_path / name, f"{name} horse battery") for name in ("right", "wrong"))
    assert here(home, "init", "--passphrase-file", right).code == 0
    assert here(home, "ca", "add", "old", "--purpose", "client", "--passphrase-file", right).code == 0
    config.write_text(SITE.format(port=free_port()))
    assert here(home, "nginx", "deploy", "--passphrase-file", right).code == 0
    try:
        assert here(home, "ca", "revoke", "old", "--yes", "--passphrase-file", right).code == 0
        before = snapshot(home)
        for words, code, said in (
            ("root --yes", 4, "a root cannot be revoked"),
            ("old --yes", 4, "CA old is revoked since "),
            ("nobody --yes", 1, "no CA of that name: nobody"),
            ("clients --yes --reason certificate_hold", 2, "'certificate_hold'"),
            ("clients", 2, "there is no terminal to ask on"),
            ("clients --yes", 1, "no passphrase was given"),
            (f"clients --yes --passphrase-file {wrong}", 1, "passphrase"),
        ):
            refused = here(home, "ca", "revoke", *words.split())
            assert (refused.code, said in refused.stderr, snapshot(home) == before) == (code, True, True), (
                words,
                refused,
            )
        monkeypatch.setattr(sys, "stdin", _Terminal("n\n"))
        refused = here(home, "ca", "revoke", "clients", "--passphrase-file", right)
        assert (refused.code, "nothing was revoked" in refused.stderr, snapshot(home) == before) == (1, True, True)
        assert here(home, "ca", "revoke", "clients", "--yes", "--no-deploy", "--passphrase-file", right).code == 0
        assert snapshot(home) != before
    finally:
        here(home, "nginx", "stop")


def test_nobody_is_issued_a_certificate_by_it(home: Path, tmp_path: Path) -> None:
    """Neither made, nor in a batch, nor renewed, nor promised; each says what puts another CA in its place."""
    assert here(home, "ca", "revoke", "clients", "--reason", "ca_compromise", "--yes").code == 0
    (tmp_path / "people.csv").write_text("name\nbob\n")
    for command in (
        ("client", "bob"),
        ("client", "bob", "--dry-run"),
        ("client", "--batch", "people.csv", "--out", "handout"),
        ("renew", "ann", "--force"),
        ("token", "bob", "--profile", "client"),
    ):
        refused = here(home, *command)
        assert refused.code == 4, command
        assert "counterseal ca retire clients --successor clients-2" in refused.stderr, command
    listed = here(home, "list")
    assert "CA clients is revoked" in listed.stderr
    assert "issuer   clients, revoked " in here(home, "show", "ann").stdout
    assert "of CA clients of this home, which is revoked" in here(home, "inspect", "ann.cert.pem").stdout


def test_what_is_locked_out_with_it_is_said(home: Path) -> None:
    """Before and after: a CA below it, and one of the same subject, as older homes may have."""
    with open_authority(home, lambda: None) as authority:
        servers, clients = (authority.store.ca(name) for name in ("servers", "clients"))
        authority.store.add_ca(clients._replace(name="twin", key_id="twin"))
        authority.store.add_ca(servers._replace(name="below", key_id="below", parent="clients"))
    said = (
        "lock out with it CA twin, whose subject is that of clients",
        "lock out with it CA below, which is below clients",
    )
    rehearsed = here(home, "ca", "revoke", "clients", "--dry-run")
    assert [f"would {one}" in rehearsed.stdout for one in said] == [True, True], rehearsed.stdout
    document = json.loads(here(home, "ca", "revoke", "clients", "--dry-run", "--json").stdout)
    assert sorted(document["locked_out_with"]) == ["below", "twin"]
    revoked = here(home, "ca", "revoke", "clients", "--yes")
    assert "locked out with it: CA below, which is below clients" in revoked.stdout + revoked.stderr


@pytest.mark.parametrize("is_listed", [False, True])
def test_what_it_issued_is_revoked_whether_the_list_above_says_so_or_not(
    home: Path, tmp_path: Path, *, is_listed: bool
) -> None:
    """It does not as long as the root's key lies in a safe; once is enough to be told, and nginx refuses as well."""
    if not is_listed:
        (home / "keys" / "root.key.pem").rename(tmp_path / "root.key.pem")
    assert here(home, "verify", "ann.fullchain.pem", "--like", "nginx").code == 0
    assert here(home, "ca", "revoke", "clients", "--reason", "key_compromise", "--yes").code == 0
    for command in (("ann.fullchain.pem", "--like", "nginx"), ("ann.fullchain.pem",), ("ann.cert.pem",)):
        verified = here(home, "verify", *command, "--json")
        found = json.loads(verified.stdout)["verify"]
        failed = [one for one in found["paths"][0]["checks"] if one["outcome"] == "fail"]
        assert (verified.code, found["valid"]) == (3, False)
        assert [(one["code"], one["position"]) for one in failed] == [("revocation", 1)]
        assert ("CA clients of this home is revoked since " in failed[0]["message"]) is not is_listed
        assert found["nginx"] is None or found["nginx"]["status"] == 400


def test_who_arrives_and_who_sets_out_with_what_it_issued_is_told(home: Path, tmp_path: Path) -> None:
    """While the root's key is away: ``listen`` looks for each client, ``handshake`` before any server says so."""
    (home / "keys" / "root.key.pem").rename(tmp_path / "root.key.pem")
    seen, arrived = [], []
    with listening(tmp_path, "--json", home=home) as desk:
        for act in (("list",), ("ca", "revoke", "clients", "--yes")):
            assert here(home, *act).code == 0
            ran = here(home, "handshake", f"127.0.0.1:{desk.port}", "--name", "ann", "--json", *PATIENCE)
            seen.append(json.loads(ran.stdout)["handshake"])
            arrived.append(next(one for one in iter(desk.arrival, None) if one["client_checks"]))
    for side in (seen, arrived):
        failed = [[one["code"] for one in each["client_checks"]["checks"] if one["outcome"] == "fail"] for each in side]
        assert failed == [[], ["revocation"]]
    assert [each["heading"].rpartition("nginx would ")[2] for each in arrived] == ["let it in", "refuse it"]
    with listening(tmp_path, "--json", home=home) as desk:
        here(home, "handshake", f"127.0.0.1:{desk.port}", *PATIENCE)
        (named,) = desk.arrival()["accepted_authorities"]
    assert named.startswith("CN=Counterseal Root ")
