"""``counterseal lint`` on what openssl makes: findings, exit codes, and silence about what is right."""

from __future__ import annotations

import json
import resource
from typing import TYPE_CHECKING

from command import counterseal
from programs import run_program

if TYPE_CHECKING:
    from pathlib import Path

LONG = 15.0  # seconds of the processor; 4 on one machine, and 30 before


def test_what_tutorials_make_is_found_faulty(tmp_path: Path) -> None:
    """A certificate without key usage and names, a weak request, and the exit code that --fail-on chooses."""
    run_program(
        *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "cert.pem"),
        *("-subj", "/CN=server.example.com", "-days", "30"),
        cwd=tmp_path,
    )
    run_program(
        *("openssl", "req", "-new", "-newkey", "rsa:1024", "-nodes", "-keyout", "weak.pem", "-out", "weak.csr"),
        *("-subj", "/CN=server.example.com"),
        cwd=tmp_path,
    )
    ran = counterseal(tmp_path / "home", "lint", str(tmp_path / "cert.pem"), str(tmp_path / "weak.csr"), "--json")
    document = json.loads(ran.stdout)
    codes = {finding["code"] for finding in document["findings"]}
    assert (ran.code, document["second_opinion"]) == (3, "pkilint")
    assert {"lint.key_usage", "key.weak", "lint.csr_names", "pkilint.pkix.ca_certificate_no_ku_extension"} <= codes
    weak = (str(tmp_path / "weak.csr"), "--no-second-opinion")
    assert counterseal(tmp_path / "home", "lint", *weak, "--fail-on", "critical").code == 3
    assert "hint: openssl req -addext" in counterseal(tmp_path / "home", "lint", *weak).stdout


def test_what_we_make_passes(tmp_path: Path) -> None:
    """Every certificate and list of a new CA, by both linters, under the CA of this home."""
    home, out = tmp_path / "home", tmp_path / "out"
    ran = counterseal(home, "init", "--no-passphrase", "--permit", "example.com")
    assert (ran.code, "this CA may certify any: IP addresses, mailboxes, URIs\n" in ran.stderr) == (0, True), ran.stderr
    assert counterseal(home, "server", "a.example.com", "--san", "*.a.example.com", "--out", str(out)).code == 0
    assert counterseal(home, "client", "alice", "--email", "alice@example.com", "--out", str(out)).code == 0
    assert counterseal(home, "revoke", "alice", "--reason", "key_compromise").code == 0
    assert counterseal(home, "crl", "--out", str(out)).code == 0
    files = [str(path) for path in sorted(out.iterdir()) if path.suffix in {".pem", ".crl"}]
    ran = counterseal(home, "lint", *files, "--fail-on", "info")
    assert (ran.code, ran.stdout.partition(" in ")[0]) == (0, "no findings")
    assert ran.stdout.endswith("; pkilint was asked, too\n")


def test_rules_are_listed_and_nothing_is_an_error(tmp_path: Path) -> None:
    """The list needs no file; a file of something else has exit code 3, for that is a finding."""
    assert "crl_current" in counterseal(tmp_path, "lint", "--list-rules").stdout
    assert counterseal(tmp_path, "lint").code == 2
    (tmp_path / "text").write_text("hello")
    ran = counterseal(tmp_path, "lint", str(tmp_path / "text"), "--no-second-opinion")
    assert (ran.code, ran.stdout.splitlines()[-1].partition("; ")[2]) == (3, "pkilint was not asked")


def test_ten_thousands_of_findings_are_shown_in_time(tmp_path: Path) -> None:
    """A file of a megabyte that holds nothing but beginnings; each finding was looked for among all others."""
    broken = tmp_path / "broken.pem"
    broken.write_text("-----BEGIN CERTIFICATE-----\n" * 40_000)
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    ran = counterseal(tmp_path / "home", "lint", str(broken))
    spent = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
    assert (ran.code, ran.stdout.count("[file.form]"), spent < LONG) == (3, 40_000, True), spent
