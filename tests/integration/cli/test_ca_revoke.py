"""Revoking a CA from the command line: what is asked first, and what every command says afterwards."""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING

import pytest

from command import here

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow


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
    assert "note: CA clients of this home is revoked " in here(home, "verify", "ann.fullchain.pem").stderr
