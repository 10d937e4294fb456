"""A machine without a CA: enrolled with a token, renewed with its certificate, by the real service."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key, pkcs12

import dying
from command import Ran, counterseal
from disks import fill, remount, small_disk
from ports import free_port
from programs import run_program
from rehearsing import snapshot
from service_process import Running, make_ca, running

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 60
BEHIND_NGINX = """
[serve]
public_url = "https://localhost:{port}"
trust_client_cert = true

[est]
renew_after_expiry = "1h"

[sites.ca]
server_names = ["localhost"]
listen = ["127.0.0.1:{port}"]
client_certificates = "optional"
client_cas = ["clients"]
identity_headers = "rfc9440"
upstream = "unix:{socket}"
"""
NUMBERS = count(1)
NEW = {"change": "new", "diff": None}


@dataclass
class Machine:
    """A machine that has nothing but the address of the service: where it works, and where its files go."""

    service: Running
    path: Path
    out: Path

    def token(self, name: str, *options: str) -> Path:
        """Make a token where the CA is, and return the file in which it is handed over."""
        made = counterseal(self.service.home, "token", name, "--profile", "client", "--json", *options)
        assert made.code == 0, made.stderr
        file = self.path / f"token-{next(NUMBERS)}"
        file.write_text(made.stdout)
        return file

    def run(self, *words: str) -> Ran:
        """Run a command; the home that it is given is empty."""
        return counterseal(self.path / "no-home", *words, timeout=SECONDS)

    def enroll(self, token: Path, *options: str) -> Ran:
        """Enrol with what is in the token file."""
        return self.run("enroll", self.service.url, "--token", str(token), "--out", str(self.out), *options)

    def renew(self, *options: str) -> Ran:
        """Renew what is in the directory."""
        return self.run("renew", "--server", self.service.url, "--out", str(self.out), *options)

    def dying(self, module: str, attribute: str, *words: str) -> int:
        """Run a command that is killed before it calls this function, and return how it ended."""
        command = [sys.executable, dying.__file__, module, attribute, "1", *words, "--out", str(self.out)]
        return subprocess.run(
            command, capture_output=True, timeout=SECONDS, check=False, env=dict(os.environ)
        ).returncode

    def certificate(self, name: str) -> x509.Certificate:
        """Return the certificate, whose key is beside it, for its owner only."""
        certificate = x509.load_pem_x509_certificate((self.out / f"{name}.cert.pem").read_bytes())
        key = self.out / f"{name}.key.pem"
        assert key.stat().st_mode & 0o777 == 0o600
        assert load_pem_private_key(key.read_bytes(), None).public_key() == certificate.public_key()
        return certificate

    def wait_for_the_end_of(self, name: str) -> x509.Certificate:
        """Return the certificate when it has expired."""
        certificate, deadline = self.certificate(name), time.monotonic() + SECONDS
        while datetime.now(UTC) <= certificate.not_valid_after_utc:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        return certificate

    def issued(self, name: str) -> int:
        """Return how many certificates of this name the CA has issued."""
        listed = json.loads(counterseal(self.service.home, "list", "--name", name, "--json").stdout)
        return len(listed["certificates"])


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Return a running service that the tests of this module share."""
    home = tmp_path_factory.mktemp("enroll") / "home"
    make_ca(home, '[est]\nrenew_after_expiry = "1h"\n')
    with running(home) as service:
        yield service


@pytest.fixture
def machine(service: Running, tmp_path: Path) -> Machine:
    """Return a machine of its own for a test."""
    return Machine(service, tmp_path, tmp_path / "out")


def test_a_machine_is_enrolled_and_renewed(machine: Machine) -> None:
    """With the token as it was printed; then with a new key, the same key, only when due, and with what comes after."""
    enrolled = machine.enroll(machine.token("pump-1", "--san", "DNS:pump-1.example.com"))
    assert enrolled.code == 0, enrolled.stderr
    assert "enrolled pump-1: CN=pump-1" in enrolled.stdout
    assert "counterseal renew pump-1 --server" in enrolled.stdout
    chain = ["-untrusted", "pump-1.chain.pem", "pump-1.cert.pem"]
    run_program("openssl", "verify", "-purpose", "sslclient", "-CAfile", "ca.pem", *chain, cwd=machine.out)
    assert not list(machine.out.glob(".enroll-*"))
    first = machine.certificate("pump-1")
    again = machine.enroll(machine.token("pump-1"))
    assert (again.code, "there is a certificate of this name already" in again.stderr) == (1, True)

    idle = machine.renew("--if-due", "--then", "touch not-due")
    assert (idle.code, "nothing to do" in idle.stdout) == (0, True)
    mark = machine.path / "reloaded"
    renewed = machine.renew("--then", f"touch {mark}")
    assert (renewed.code, mark.exists()) == (0, True), renewed.stderr
    second = machine.certificate("pump-1")
    assert second.public_key() != first.public_key()
    assert second.subject == first.subject
    assert json.loads(machine.renew("--keep-key", "--json").stdout)["certificate"]["names"] == [
        "DNS:pump-1.example.com"
    ]
    third = machine.certificate("pump-1")
    assert (third.public_key(), third.serial_number == second.serial_number) == (second.public_key(), False)


def test_a_rehearsal_shows_the_token_to_nobody(machine: Machine) -> None:
    """It says who the service is and names the files; nothing is issued and nothing written, here or there."""
    token = machine.token("pump-9")
    before = snapshot(machine.path)
    answer = json.loads(machine.enroll(token, "--dry-run", "--json").stdout)
    key = {"path": str(machine.out / "NAME.key.pem"), "mode": "0600", "size": None, "varies": True}
    assert answer["files"][0] == key | NEW
    assert "whose root is" in answer["acts"][0]
    assert (snapshot(machine.path), machine.issued("pump-9")) == (before, 0)
    assert machine.enroll(token).code == 0
    before = snapshot(machine.path)
    renewal = machine.renew("--dry-run")
    assert "would ask https://" in renewal.stdout, renewal.stderr
    assert f"would write {machine.out}/pump-9.key.pem (mode 0600, size not known before, changed)" in renewal.stdout
    assert "would do nothing: due from" in machine.renew("--if-due", "--dry-run").stdout
    assert (snapshot(machine.path), machine.issued("pump-9")) == (before, 1)


def test_a_rehearsal_names_the_files_that_come(machine: Machine, tmp_path: Path) -> None:
    """Those of the name that is asked for, and no others; with --keep-key the key is not one that changes."""
    token, password = machine.token("pump-told"), tmp_path / "password"
    password.write_text("a long password here")
    words = ("--name", "pump-told", "--password-file", str(password), "--json")
    told = json.loads(machine.enroll(token, *words, "--dry-run").stdout)["files"]
    files = json.loads(machine.enroll(token, *words).stdout)["files"]
    assert {one["path"]: one["mode"] for one in told} == {
        file: f"{Path(file).stat().st_mode & 0o777:04o}" for file in files
    }
    again = ("--keep-key", *words[2:])
    told = json.loads(machine.renew(*again, "--dry-run").stdout)["files"]
    before = (machine.out / "pump-told.key.pem").read_bytes()
    assert sorted(one["path"] for one in told) == sorted(json.loads(machine.renew(*again).stdout)["files"])
    assert [one["path"] for one in told if one["change"] == "same"] == [str(machine.out / "pump-told.key.pem")]
    assert (machine.out / "pump-told.key.pem").read_bytes() == before


def test_a_command_that_failed_is_run_next_time(machine: Machine) -> None:
    """Also when nothing is due: else the program would go on with the old certificate."""
    assert machine.enroll(machine.token("pump-2")).code == 0
    failed = machine.renew("--then", "exit 7")
    assert (
        failed.code,
        "the certificate is renewed, but the command after it failed with exit code 7" in failed.stderr,
    ) == (1, True)
    mark = machine.path / "reloaded"
    assert machine.renew("--if-due", "--then", f"touch {mark}").code == 0
    assert mark.exists()


def test_a_pkcs12_is_made_and_renewed(machine: Machine) -> None:
    """One that would be left behind stops the renewal."""
    made = machine.enroll(machine.token("laptop"), "--p12", "--json")
    password = json.loads(made.stdout)["password"].encode()
    assert pkcs12.load_pkcs12((machine.out / "laptop.p12").read_bytes(), password).key is not None
    stopped = machine.renew()
    assert (stopped.code, "would be that of the certificate before" in stopped.stderr) == (2, True)
    (machine.path / "password").write_bytes(password)
    assert machine.renew("--password-file", str(machine.path / "password")).code == 0
    held = pkcs12.load_pkcs12((machine.out / "laptop.p12").read_bytes(), password)
    assert held.cert is not None
    assert held.cert.certificate == machine.certificate("laptop")


def test_what_is_refused_says_why_and_writes_nothing(machine: Machine) -> None:
    """Exit code 4 where a rule said no; neither key nor directory is left of an enrolment that never began."""
    good = machine.token("pump-3")
    words = json.loads(good.read_text())
    alone = machine.path / "alone"
    alone.write_text(words["secret"])
    unpinned = machine.enroll(alone)
    assert (unpinned.code, words["root_sha256"] in unpinned.stderr) == (4, True)
    wrong = machine.enroll(alone, "--fingerprint", "0" * 64)
    assert (wrong.code, "has another CA than the fingerprint" in wrong.stderr) == (4, True)
    typed = machine.run("enroll", machine.service.url, "--token", words["secret"])
    assert (typed.code, words["secret"] in typed.stderr, "make a new one" in typed.stderr) == (2, False, True)
    named = machine.enroll(good, "--name", "admin")
    assert (named.code, "not for this name" in named.stderr) == (4, True)
    assert not list(machine.out.glob("*"))
    assert machine.issued("pump-3") == 0

    assert machine.enroll(good).code == 0
    used = machine.enroll(good, "--out", str(machine.path / "second"))
    assert (used.code, "used up" in used.stderr) == (4, True)
    short = machine.token("pump-4", "--expires", "1s")
    identifier = json.loads(short.read_text())["token"]["id"]
    deadline = time.monotonic() + SECONDS
    while _state(machine.service.home, identifier) == "open":
        assert time.monotonic() < deadline
    late = machine.enroll(short, "--out", str(machine.path / "third"))
    assert (late.code, "expired" in late.stderr) == (4, True)
    assert words["secret"] not in str([used.stderr, late.stderr, *machine.service.lines])


def _state(home: Path, identifier: str) -> str:
    listed = json.loads(counterseal(home, "token", "list", "--json").stdout)["tokens"]
    return next(str(one["state"]) for one in listed if one["id"] == identifier)


def test_a_foreign_service_hears_no_token(machine: Machine, tmp_path: Path) -> None:
    """Another CA behind the same address: what was pinned, or held, does not fit."""
    token = machine.token("pump-5")
    make_ca(tmp_path / "foreign")
    with running(tmp_path / "foreign") as foreign:
        there = Machine(foreign, machine.path, machine.out)
        assert there.enroll(token).code == 4
        assert machine.enroll(token).code == 0
        refused = there.renew()
        assert (refused.code, "is not trusted" in refused.stderr) == (1, True)
        assert "simple" not in str(foreign.lines)
    down = there.renew()
    assert (down.code, "cannot reach" in down.stderr) == (1, True)
    machine.certificate("pump-5")


def test_an_answer_that_was_lost_is_given_again(machine: Machine) -> None:
    """Killed after the certificate was issued and before it was written, the same command gets that certificate."""
    token = machine.token("pump-6")
    words = ["enroll", machine.service.url, "--token", str(token)]
    assert machine.dying("counterseal.agent.enroll", "write", *words) == -9
    assert machine.issued("pump-6") == 1
    assert machine.enroll(token).code == 0
    assert machine.issued("pump-6") == 1
    machine.certificate("pump-6")


@pytest.mark.parametrize(
    ("module", "attribute"),
    [
        ("counterseal.agent.enroll", "replace"),
        ("counterseal.agent.place", "sync_directory"),
    ],
)
def test_a_renewal_that_was_killed_is_mended(machine: Machine, module: str, attribute: str) -> None:
    """Key and certificate fit each other at every moment, and the next run renews."""
    assert machine.enroll(machine.token("pump-7")).code == 0
    assert machine.dying(module, attribute, "renew", "--server", machine.service.url) == -9
    before = machine.certificate("pump-7").serial_number
    assert machine.renew().code == 0
    assert machine.certificate("pump-7").serial_number != before


def test_an_expired_certificate_is_renewed_where_policy_allows(machine: Machine) -> None:
    """It is due, and shown all the same."""
    assert machine.enroll(machine.token("pump-10", "--lifetime", "1s")).code == 0
    expired = machine.wait_for_the_end_of("pump-10")
    renewed = machine.renew("--if-due")
    assert (renewed.code, machine.certificate("pump-10") == expired) == (0, False), renewed.stderr


def test_a_certificate_for_servers_is_renewed_too(machine: Machine) -> None:
    """TLS would not take it from a client, so its key signs the request."""
    assert machine.enroll(machine.token("db.example.com", "--profile", "server")).code == 0
    first = machine.certificate("db.example.com")
    renewed = machine.renew("db.example.com")
    assert renewed.code == 0, renewed.stderr
    second = machine.certificate("db.example.com")
    assert (second.subject, second.public_key() == first.public_key()) == (first.subject, False)


@pytest.mark.nginx
def test_nginx_may_stand_in_front(tmp_path: Path) -> None:
    """A site of ours on a TCP port, the service on a Unix socket: nginx says who it is that renews."""
    home, port = tmp_path / "home", free_port()
    make_ca(home, BEHIND_NGINX.format(port=port, socket=tmp_path / "s"))
    try:
        with running(home, "--listen", f"unix:{tmp_path / 's'}") as service:
            deployed = counterseal(home, "nginx", "deploy")
            assert deployed.code == 0, deployed.stderr
            machine = Machine(service, tmp_path, tmp_path / "out")
            assert service.url == f"https://localhost:{port}"
            enrolled = machine.enroll(machine.token("pump-11"))
            assert enrolled.code == 0, enrolled.stderr
            first = machine.certificate("pump-11")
            renewed = machine.renew()
            assert renewed.code == 0, renewed.stderr
            assert machine.certificate("pump-11").subject == first.subject
            assert machine.issued("pump-11") == 2
            short = Machine(service, tmp_path, tmp_path / "short")
            assert short.enroll(short.token("pump-12", "--lifetime", "1s")).code == 0
            expired = short.wait_for_the_end_of("pump-12")
            renewed = short.renew()
            assert (renewed.code, short.certificate("pump-12") == expired) == (0, False), renewed.stderr
    finally:
        counterseal(home, "nginx", "stop")


def test_two_renewals_at_once_take_turns(machine: Machine) -> None:
    """Both come to their end, and what is there afterwards fits together."""
    assert machine.enroll(machine.token("pump-8")).code == 0
    command = [sys.executable, "-m", "counterseal", "renew", "--server", machine.service.url, "--out", str(machine.out)]
    both = [subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) for _ in range(2)]
    said = [process.communicate(timeout=SECONDS)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    machine.certificate("pump-8")
    assert machine.issued("pump-8") == 3


def test_a_disk_without_room_keeps_the_old_certificate(machine: Machine) -> None:
    """Full, and read-only; afterwards it goes on."""
    with small_disk(machine.path / "disk") as disk:
        machine.out = disk / "pki"
        assert machine.enroll(machine.token("pump-13")).code == 0
        before = machine.certificate("pump-13")
        filler = fill(disk)
        full = machine.renew()
        assert (full.code, "no space left" in full.stderr) == (1, True)
        filler.unlink()
        remount(disk, writable=False)
        closed = machine.renew()
        assert (closed.code, "read-only" in closed.stderr) == (1, True)
        remount(disk, writable=True)
        assert machine.certificate("pump-13") == before
        assert machine.issued("pump-13") == 1  # nothing was asked for that could not be written
        assert machine.renew().code == 0
        assert machine.certificate("pump-13") != before
