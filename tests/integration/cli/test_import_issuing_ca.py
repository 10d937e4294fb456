"""An issuing CA made with openssl, whose root stays offline, is taken over and goes on behind a real nginx."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from command import counterseal, write_secret
from guides import blocks, run_script
from ports import free_port
from programs import run_program
from rehearsing import snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROOT_CA = """\
[ca]
default_ca = here
[here]
database = {name}.index
serial = {name}.serial
crlnumber = {name}.crlnumber
new_certs_dir = {name}.certs
certificate = {name}.pem
private_key = {name}.key
default_md = sha256
default_days = 1000
default_crl_days = 30
policy = anything
unique_subject = no
[anything]
commonName = supplied
[root]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[int]
basicConstraints = critical, CA:true, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[client]
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""
SITE = """\
[sites.panel]
server_names = ["panel.test"]
listen = ["127.0.0.1:{port}"]
root = "{root}"
{more}
"""


@dataclass(frozen=True, slots=True)
class OfflineRoot:
    """The directory of a root of openssl and of one issuing CA below it, each with index, serial and crlnumber."""

    directory: Path

    def run(self, *words: str) -> str:
        """Run openssl there."""
        return run_program("openssl", *words, cwd=self.directory)

    def add(self, name: str, subject: str, issuer: str, extensions: str) -> None:
        """Have ``issuer`` sign a certificate with a new key; a CA's own files are made with it."""
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key"]
        if extensions != "client":
            (self.directory / f"{name}.cnf").write_text(ROOT_CA.format(name=name))
            (self.directory / f"{name}.certs").mkdir()
            for kind, content in {"index": "", "serial": "1000\n", "crlnumber": "05\n"}.items():
                (self.directory / f"{name}.{kind}").write_text(content)
        config = ["-config", f"{issuer}.cnf", "-extensions", extensions]
        if name == issuer:
            self.run("req", "-x509", "-new", *key, "-days", "3650", "-subj", subject, *config, "-out", f"{name}.pem")
            return
        self.run("req", "-new", *key, "-subj", subject, "-out", f"{name}.csr")
        self.run("ca", "-batch", "-notext", *config, "-in", f"{name}.csr", "-out", f"{name}.pem")

    def revoke(self, name: str, issuer: str) -> None:
        """Have its issuer revoke a certificate."""
        self.run("ca", "-config", f"{issuer}.cnf", "-revoke", f"{name}.pem", "-crl_reason", "keyCompromise")

    def list_of(self, name: str, *, days: int = 30) -> Path:
        """Have a CA sign its list."""
        self.run("ca", "-config", f"{name}.cnf", "-gencrl", "-crldays", str(days), "-out", f"{name}.crl")
        return self.directory / f"{name}.crl"

    def taking(self, *more: str) -> list[str]:
        """Return the command that takes the issuing CA over."""
        words = ["--certificate", "int.pem", "--key", "int.key", "--chain", "root.pem", "--index", "int.index", *more]
        return ["import-ca", *(str(self.directory / one) if "." in one else one for one in words), "--no-passphrase"]


@pytest.fixture
def offline(tmp_path: Path) -> OfflineRoot:
    """Make root and issuing CA; the latter issued to Ann, Ben and Cid, and revoked Ben."""
    made = OfflineRoot(tmp_path / "openssl")
    made.directory.mkdir()
    made.add("root", "/O=example/CN=Root CA", "root", "root")
    made.add("int", "/O=example/CN=Issuing CA", "root", "int")
    for name in ("ann", "ben", "cid"):
        made.add(name, f"/CN={name}", "int", "client")
    made.revoke("ben", "int")
    return made


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """Return where the CA is to live; stop its nginx in the end."""
    home = tmp_path / "home"
    yield home
    counterseal(home, "nginx", "stop")


def deploy(home: Path, root: Path, more: str = "") -> int:
    """Write one site, deploy it, and return its port."""
    port = free_port()
    (home / "counterseal.toml").write_text(SITE.format(port=port, root=root, more=more))
    deployed = counterseal(home, "nginx", "deploy")
    assert deployed.code == 0, deployed.stderr
    return port


def answer_to(offline: OfflineRoot, name: str, port: int, *, issuer: str = "int") -> str:
    """Return what nginx answers one of openssl's clients, who sends the whole chain."""
    chain = (offline.directory / f"{name}.pem").read_text() + (offline.directory / f"{issuer}.pem").read_text()
    (offline.directory / f"{name}.fullchain").write_text(chain)
    identity = ["--cert", f"{name}.fullchain", "--key", f"{name}.key", "--cacert", "root.pem"]
    to = ["--resolve", f"panel.test:{port}:127.0.0.1", f"https://panel.test:{port}/"]
    shown = ["-sS", "-o", "/dev/null", "-w", "%{http_code}"]
    return run_program("curl", *shown, *identity, *to, cwd=offline.directory)


@pytest.mark.nginx
def test_it_goes_on_behind_nginx_under_its_offline_root(home: Path, offline: OfflineRoot, tmp_path: Path) -> None:
    """Clients enter, revoked ones do not; the root's list comes as a file, and a newer one may revoke the CA itself."""
    (tmp_path / "index.html").write_text("welcome")
    taken = counterseal(home, *offline.taking("--crl", str(offline.list_of("root"))))
    assert taken.code == 0, taken.stderr
    assert "3 certificates, 1 of them revoked" in taken.stdout
    assert not (home / "keys" / "root.key.pem").exists()
    port = deploy(home, tmp_path)
    assert "panel.crl.pem" in counterseal(home, "nginx", "render").stdout
    assert [answer_to(offline, name, port) for name in ("ann", "ben")] == ["200", "400"]
    revoked = counterseal(home, "revoke", "ann")
    assert (revoked.code, "in force and proved" in revoked.stdout) == (0, True), revoked.stderr
    assert answer_to(offline, "ann", port) == "400"
    refreshed = counterseal(home, "refresh", "--json")
    assert (refreshed.code, json.loads(refreshed.stdout)["ending"]) == (0, []), refreshed.stderr

    assert answer_to(offline, "cid", port) == "200"
    offline.revoke("int", "root")
    newer = offline.list_of("root", days=90)
    rehearsed = counterseal(home, "ca", "import-crl", str(newer), "--dry-run", "--json")
    acts = json.loads(rehearsed.stdout)["acts"]
    assert ([act[:24] for act in acts], answer_to(offline, "cid", port)) == (
        ["take list 6 of CA root: ", "deploy a new generation "],
        "200",
    )
    (home / "counterseal.toml").write_text("[sites.panel]\n")  # refused, so that the settings in force are taken
    came = counterseal(home, "ca", "import-crl", str(newer), "--json")
    assert came.code == 0, came.stderr
    document = json.loads(came.stdout)
    told = [{"ca": "root", "number": 6, "taken": True}]
    assert (document["crls"], document["generation"], document["settings_of_before"]) == (told, 3, True)
    assert answer_to(offline, "cid", port) == "400"
    assert "here already" in counterseal(home, "ca", "import-crl", str(newer)).stdout


@pytest.mark.nginx
def test_a_list_that_comes_while_nginx_is_down_is_there_when_it_is_started(
    home: Path, offline: OfflineRoot, tmp_path: Path
) -> None:
    """One that revokes nobody, and one that revokes the CA itself; neither starts nginx."""
    (tmp_path / "index.html").write_text("welcome")
    assert counterseal(home, *offline.taking("--crl", str(offline.list_of("root")))).code == 0
    port = deploy(home, tmp_path)
    assert answer_to(offline, "cid", port) == "200"
    assert counterseal(home, "nginx", "stop").code == 0
    for number, revokes in ((2, False), (3, True)):
        if revokes:
            offline.revoke("int", "root")
        newer = str(offline.list_of("root", days=90))
        rehearsed = counterseal(home, "ca", "import-crl", newer, "--dry-run")
        assert "make a new generation for the next start of nginx, which does not run, unproved" in rehearsed.stdout
        came = counterseal(home, "ca", "import-crl", newer)
        assert (came.code, "it was not started" in came.stderr) == (0, True), came.stderr
        assert f"in force when nginx starts, tested but not proved: generation {number}\n" in came.stdout
        assert json.loads(counterseal(home, "nginx", "status", "--json").stdout)["running"] is False
        (trusted,) = (home / "nginx" / "current").resolve().rglob("panel.client-cas.pem")
        assert ((offline.directory / "int.pem").read_text().strip() in trusted.read_text()) is not revokes
    assert counterseal(home, "nginx", "deploy").code == 0
    assert answer_to(offline, "cid", port) == "400"


@pytest.mark.nginx
def test_without_the_list_of_its_root_the_map_refuses(home: Path, offline: OfflineRoot, tmp_path: Path) -> None:
    """That is said at once and by the doctor; who asks for lists is told before nginx would refuse everybody."""
    (tmp_path / "index.html").write_text("welcome")
    taken = counterseal(home, *offline.taking("--name", "clients"))
    assert (taken.code, "hint: counterseal ca import-crl FILE" in taken.stderr) == (0, True), taken.stderr
    port = deploy(home, tmp_path)
    assert "panel.crl.pem" not in counterseal(home, "nginx", "render").stdout
    assert [answer_to(offline, name, port) for name in ("ann", "ben")] == ["200", "400"]
    (home / "counterseal.toml").write_text(SITE.format(port=port, root=tmp_path, more='revocation = "both"'))
    refused = counterseal(home, "nginx", "deploy")
    assert (refused.code, "wants a list of every CA, and of root there is none" in refused.stderr) == (2, True)
    checks = json.loads(counterseal(home, "doctor", "--no-proof", "--json").stdout)["checks"]
    (told,) = [one for one in checks if (one["check"], one["subject"]) == ("list", "root")]
    assert (told["state"], "import-crl" in told["mend"]) == ("attention", True)
    assert [one["state"] for one in checks if one["check"] == "key"] == ["ok", "ok"]


@pytest.mark.nginx
def test_a_stolen_issuing_ca_is_locked_out_though_its_root_has_no_list(
    home: Path, offline: OfflineRoot, tmp_path: Path
) -> None:
    """Its key is destroyed then; a CA of the same subject, whose clients nginx could not tell from a thief's, is none.

    Another one succeeds it, and until that is deployed the proof says what is in force.
    """
    (tmp_path / "index.html").write_text("welcome")
    assert counterseal(home, *offline.taking()).code == 0
    port = deploy(home, tmp_path)
    assert answer_to(offline, "cid", port) == "200"
    told = json.loads(counterseal(home, "ca", "revoke", "issuing", "--dry-run", "--json").stdout)["acts"]
    assert [act for act in told if "list" in act] == ["sign a new revocation list of issuing"]
    revoked = counterseal(home, "ca", "revoke", "issuing", "--yes")
    assert revoked.code == 0, revoked.stderr
    assert answer_to(offline, "cid", port) == "400"

    (home / "keys" / "issuing.key.pem").unlink()
    offline.add("same", "/O=example/CN=Issuing CA", "root", "int")
    offline.add("next", "/O=example/CN=Issuing CA 2", "root", "int")
    joining = ["--chain", str(offline.directory / "root.pem"), "--name", "issuing-2", "--no-passphrase"]
    of = {name: [str(offline.directory / f"{name}.{kind}") for kind in ("pem", "key")] for name in ("same", "next")}
    refused = counterseal(home, "import-ca", "--certificate", of["same"][0], "--key", of["same"][1], *joining)
    assert (refused.code, "CA issuing has this subject already" in refused.stderr) == (4, True), refused.stderr
    taken = counterseal(home, "import-ca", "--certificate", of["next"][0], "--key", of["next"][1], *joining)
    assert taken.code == 0, taken.stderr
    assert counterseal(home, "ca", "retire", "issuing", "--successor", "issuing-2", "--no-deploy").code == 0
    proved = counterseal(home, "prove")
    assert (proved.code, "every client CA of the site that is in force is revoked" in proved.stdout) == (0, True), (
        proved
    )
    assert counterseal(home, "nginx", "deploy").code == 0
    offline.add("dan", "/CN=dan", "next", "client")
    offline.add("eve", "/CN=eve", "int", "client")
    answers = [answer_to(offline, name, port) for name in ("cid", "eve")]
    assert [*answers, answer_to(offline, "dan", port, issuer="next")] == ["400", "400", "200"]


def test_one_more_joins_as_its_rehearsal_said(home: Path, offline: OfflineRoot) -> None:
    """With the file of its key and no other; the root that is here already is neither taken over nor said to come.

    Afterwards it is said whether the root's key is here, as it may be.
    """
    assert counterseal(home, *offline.taking()).code == 0
    for name, root_key, said in (("next", False, "its key not here"), ("third", True, "its key here")):
        if root_key:
            write_secret(home / "keys" / "root.key.pem", (offline.directory / "root.key").read_text())
        offline.add(name, f"/O=example/CN={name}", "root", "int")
        own, key = (str(offline.directory / f"{name}.{kind}") for kind in ("pem", "key"))
        joining = ["--chain", str(offline.directory / "root.pem"), "--name", name, "--no-passphrase"]
        command = ["import-ca", "--certificate", own, "--key", key, *joining]
        before = snapshot(home)
        told = json.loads(counterseal(home, *command, "--dry-run", "--json").stdout)
        assert snapshot(home) == before
        assert [act.partition(":")[0].partition(" CN=")[0].partition(" O=")[0] for act in told["acts"]] == [
            "take over the CA",
            "take over 0 certificates, 0 of them revoked",
            f"sign its revocation list, and store both in {home}",
        ]
        joined = counterseal(home, *command)
        assert (joined.code, f", {said}, " in joined.stdout) == (0, True), joined
        written = snapshot(home)
        new = [(str(home / path), f"{written[path][0]:04o}", len(written[path][1])) for path in written.keys() - before]
        assert [(file["path"], file["mode"], file["size"]) for file in told["files"]] == new


def test_a_renewed_certificate_is_no_other_ca(home: Path, offline: OfflineRoot) -> None:
    """OpenSSL could not tell the lists of two of one key and subject apart, and would let in who is revoked by one."""
    assert counterseal(home, *offline.taking()).code == 0
    offline.run("req", "-new", "-key", "int.key", "-subj", "/CN=Issuing CA", "-out", "again.csr")
    signing = ["-CA", "root.pem", "-CAkey", "root.key", "-set_serial", "77", "-days", "900"]
    extending = ["-extfile", "root.cnf", "-extensions", "int"]
    offline.run("x509", "-req", "-in", "again.csr", *signing, *extending, "-out", "renewed.pem")
    before = snapshot(home)
    for name in ("renewed", "int"):
        certificate, key, root = (str(offline.directory / file) for file in (f"{name}.pem", "int.key", "root.pem"))
        joining = ["--key", key, "--chain", root, "--name", "next", "--no-passphrase"]
        refused = counterseal(home, "import-ca", "--certificate", certificate, *joining, "--json")
        assert (refused.code, json.loads(refused.stdout)["error"]["code"]) == (4, "ca.same_name")
    assert snapshot(home) == before


def test_a_serial_number_of_several_cas_is_never_guessed(home: Path, offline: OfflineRoot) -> None:
    """As CAs give that count from the same number: which there are is said, and each can be named with its CA."""
    assert counterseal(home, *offline.taking()).code == 0
    asked = counterseal(home, "revoke", "1000")
    assert (asked.code, "issuing/1000  ann\n" in asked.stderr, "root/1000  issuing\n" in asked.stderr) == (
        2,
        True,
        True,
    )
    shown = counterseal(home, "show", "issuing/1000", "--json")
    assert json.loads(shown.stdout)["certificate"]["name"] == "ann"
    assert counterseal(home, "revoke", "issuing/10:00").code == 0
    unknown = counterseal(home, "show", "nobody/1000")
    assert (unknown.code, "no certificate of this name or serial" in unknown.stderr) == (1, True)


def test_the_guide(offline: OfflineRoot, tmp_path: Path) -> None:
    """From another program, line by line: an issuing CA, a newer list of its root, and the CA that comes after it."""
    place, home = offline.directory, tmp_path / "home"
    offline.add("int-2", "/O=example/CN=Issuing CA 2", "root", "int")
    for name in ("int", "int-2"):
        (place / f"{name}.key").rename(place / f"{name}.key.pem")
    (place / "int").mkdir()
    (place / "int.index").rename(place / "int" / "index.txt")
    offline.list_of("root").rename(place / "root.crl.pem")
    write_secret(tmp_path / "passphrase", "correct horse battery\n")
    _, *steps = blocks("moving.md", "sh")
    run_script("".join(steps), place, home, COUNTERSEAL_PASSPHRASE_FILE=str(tmp_path / "passphrase"))
    listed = {one["name"]: one for one in json.loads(counterseal(home, "ca", "list", "--json").stdout)["cas"]}
    assert (listed["issuing"]["state"], listed["issuing-2"]["state"]) == ("retired", "active")
    issued = json.loads(counterseal(home, "list", "--json").stdout)["certificates"]
    assert {one["name"]: one["status"] for one in issued if one["issuer"] == "issuing"} == {
        "ann": "valid", "ben": "revoked", "cid": "valid",
    }  # fmt: skip
