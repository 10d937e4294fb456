"""Every command that writes, rehearsed on a CA with sites in force: it tells what it would do, and no octet changes."""

from __future__ import annotations

import json
import shutil
import socket
import stat
from typing import TYPE_CHECKING, Any

import pytest

from command import counterseal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SITE = """\
[sites.panel]
server_names = ["panel.test"]
listen = ["127.0.0.1:{port}"]
root = "/srv"
{more}
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a directory with a CA, files of alice and dave, a backup, and two generations; one more change is due."""
    place = tmp_path_factory.mktemp("rehearsed")
    home, port = place / "home", _free_port()
    (place / "passphrase").write_text("not a secret here\n")
    did(home, "init", "--no-passphrase")
    for name in ("alice", "dave"):
        did(home, "client", name, "--no-p12", "--out", str(place / "out"))
    did(home, "revoke", "dave", "--reason", "certificate_hold")
    did(home, "backup", str(place / "old.backup"), "--passphrase-file", str(place / "passphrase"))
    for more in ("", "hsts = true"):
        (home / "counterseal.toml").write_text(SITE.format(port=port, more=more))
        did(home, "nginx", "deploy")
    (home / "counterseal.toml").write_text(SITE.format(port=port, more='tls = "modern"'))
    shutil.copytree(place / "out", place / "again")
    yield place
    counterseal(home, "nginx", "stop")


def did(home: Path, *words: str) -> None:
    """Run a command that must succeed."""
    ran = counterseal(home, *words)
    assert ran.code == 0, ran.stderr


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def snapshot(place: Path) -> dict[str, tuple[int, bytes]]:
    """Return mode and bytes of every file but what a running nginx writes itself."""
    found = {}
    for path in sorted(place.rglob("*")):
        if path.is_file() and not path.is_symlink() and "/nginx/run/" not in str(path):
            found[str(path.relative_to(place))] = (stat.S_IMODE(path.stat().st_mode), path.read_bytes())
        elif path.is_symlink():
            found[str(path.relative_to(place))] = (0, str(path.readlink()).encode())
    return found


def rehearsed(place: Path, words: str) -> dict[str, Any]:
    """Run ``words`` (``@`` stands for the place) with --dry-run; return the answer, nothing having changed."""
    before = snapshot(place)
    arguments = [word.replace("@", str(place)) for word in words.split()]
    home = place / "elsewhere" if arguments[0] in {"init", "import-ca", "restore"} else place / "home"
    told = counterseal(home, *arguments, "--dry-run")
    assert told.code == 0, told.stderr
    assert "would " in told.stdout
    ran = counterseal(home, *arguments, "--dry-run", "--json")
    assert snapshot(place) == before
    assert not home.exists() or home == place / "home"
    answer: dict[str, Any] = json.loads(ran.stdout)
    assert answer["dry_run"] is True
    return answer


@pytest.mark.nginx
@pytest.mark.parametrize(
    ("words", "file", "change"),
    [
        ("init --passphrase-file @/passphrase", "elsewhere/keys/clients.key.pem", "new"),
        ("init --single-tier --no-passphrase", "elsewhere/store.sqlite", "new"),
        ("ca add partners --purpose client", "home/keys/partners.key.pem", "new"),
        ("server panel.test --out @/out", "out/panel.test.key.pem", "new"),
        ("client bob --out @/out", "out/bob.p12", "new"),
        ("renew alice --out @/again", "again/alice.cert.pem", "changed"),
        ("rekey alice --revoke-old --out @/again", "again/alice.key.pem", "changed"),
        ("export alice --format java --key-file @/out/alice.key.pem --out @/java", "java/alice.keystore.p12", "new"),
        ("crl --out @/lists", "lists/clients.crl.pem", "new"),
        ("revoke alice", None, ""),
        ("unrevoke dave", None, ""),
        ("refresh", None, ""),
        ("timer install --unit-dir @/units", "units/counterseal-refresh.timer", "new"),
        ("backup @/new.backup", "new.backup", "new"),
        ("restore @/old.backup --passphrase-file @/passphrase", "elsewhere/keys/root.key.pem", "new"),
        ("import-ca --certificate @/out/ca.pem --key @/home/keys/root.key.pem", "elsewhere/keys/root.key.pem", "new"),
        ("nginx deploy", "home/nginx/generations/0003/sites/panel.conf", "changed"),
        ("nginx rollback", "home/nginx/generations/0001/sites/panel.conf", "changed"),
    ],
)
def test_a_rehearsal_names_the_files_and_changes_nothing(
    place: Path, words: str, file: str | None, change: str
) -> None:
    """Path, mode, size and whether the file is new or changed; secrets with mode 0600 and never their content."""
    answer = rehearsed(place, words)
    assert answer["acts"] or answer["files"]
    if file is None:
        return
    found = {row["path"]: row for row in answer["files"]}
    row = found[str(place / file)]
    assert row["change"] == change
    assert row["size"] > 0
    assert (row["mode"] == "0600") == file.endswith((".key.pem", ".p12", ".sqlite", ".backup"))
    assert not any(one["diff"] for one in answer["files"] if one["mode"] == "0600")


@pytest.mark.nginx
def test_the_difference_of_a_text_is_shown(place: Path) -> None:
    """A deploy shows which lines of the configuration change against the generation in force."""
    told = counterseal(place / "home", "nginx", "deploy", "--dry-run")
    assert "-    add_header Strict-Transport-Security" in told.stdout
    assert "+    ssl_protocols TLSv1.3;" in told.stdout
    assert "PRIVATE KEY" not in told.stdout


@pytest.mark.nginx
@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("revoke nobody", 1, "no certificate of this name"),
        ("init", 2, "there is a CA already"),
        ("ca add clients --purpose client", 2, "there is a CA of this name already"),
        ("ca add long --purpose client --lifetime 20y", 4, "is past the end of"),
        ("backup @/old.backup", 1, "file exists already"),
        ("nginx rollback --to 7", 1, "no such generation"),
        ("unrevoke alice", 1, "no certificate named 'alice' is held"),
    ],
)
def test_a_rehearsal_refuses_what_the_command_would(place: Path, words: str, code: int, said: str) -> None:
    """In the same words and with the same exit code."""
    before = snapshot(place)
    ran = counterseal(place / "home", *(word.replace("@", str(place)) for word in words.split()), "--dry-run")
    assert (ran.code, said in ran.stderr) == (code, True), ran.stderr
    assert snapshot(place) == before
