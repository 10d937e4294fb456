"""Every command that writes, rehearsed on a CA with sites in force: it tells what it would do, and no octet changes."""

from __future__ import annotations

import json
import shutil
import tarfile
from typing import TYPE_CHECKING, Any

import pytest

import generate_docs
from command import counterseal, here, write_secret
from nginx_process import free_port
from programs import run_program
from rehearsing import snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SITE = """\
[sites.panel]
server_names = ["panel.test"]
listen = ["127.0.0.1:{port}"]
root = "/srv"
{more}

[reminders.mail]
to = ["admin@example.com"]
"""
MENDABLE = """\
events {}
http {
  server {
    listen 443 ssl;
    ssl_client_certificate ca.pem;
    ssl_verify_client on;
    ssl_session_tickets on;
  }
}
"""
ELSEWHERE = {
    "ca import-crl": "integration/cli/test_import_issuing_ca.py: it needs a CA whose key is elsewhere",
    "db move": "integration/store/test_moving.py: it needs a PostgreSQL",
    "enroll": "integration/serve/test_enroll.py: it needs a service, and so does renew --server",
}
"""Commands whose rehearsal is tested where what they need is."""


SECRET = (".key.pem", ".p12", ".sqlite", ".backup", ".csv", "keys.log", "passphrase")
ROOM = {"backup": 10240, "sqlite": 65536}
"""By how much a size that varies may be off: a record of a tar file, some pages."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a directory with a CA, files of alice and dave, a backup, and two generations; one more change is due."""
    place = tmp_path_factory.mktemp("rehearsed")
    home, port = place / "home", free_port()
    write_secret(place / "passphrase", "not a secret here\n")
    (place / "nginx.conf").write_text(MENDABLE)
    request = ["-newkey", "rsa:2048", "-nodes", "-keyout", "bob.key", "-subj", "/CN=bob", "-out", "bob.csr"]
    run_program("openssl", "req", "-new", *request, cwd=place)
    (place / "people.csv").write_text("name\neve\nfay\n")
    did(home, "init", "--no-passphrase")
    did(home, "ca", "add", "staff", "--purpose", "client")
    for name in ("alice", "dave"):
        did(home, "client", name, "--no-p12", "--out", str(place / "out"))
    did(home, "revoke", "dave", "--reason", "certificate_hold")
    (place / "token").write_text(json.loads(did(home, "token", "x", "--profile", "client", "--json"))["token"]["id"])
    api = did(home, "api", "token", "add", "x", "--role", "viewer", "--json")
    (place / "api").write_text(json.loads(api)["api_token"]["id"])
    (place / "key").write_text(json.loads(did(home, "acme", "eab", "add", "x", "--json"))["external_key"]["id"])
    did(home, "backup", str(place / "old.backup"), "--passphrase-file", str(place / "passphrase"))
    for more in ("", "hsts = true"):
        (home / "counterseal.toml").write_text(SITE.format(port=port, more=more))
        did(home, "nginx", "deploy")
    (home / "counterseal.toml").write_text(SITE.format(port=port, more='tls = "modern"'))
    shutil.copytree(place / "out", place / "again")
    shutil.copy(home / "keys" / "root.key.pem", place / "ca.key")
    yield place
    counterseal(home, "nginx", "stop")


def did(home: Path, *words: str) -> str:
    """Run a command that must succeed, and return what it printed."""
    ran = counterseal(home, *words)
    assert ran.code == 0, ran.stderr
    return ran.stdout


def rehearsed(place: Path, words: str) -> dict[str, Any]:
    """Run ``words`` (``@`` stands for the place) with --dry-run; return the answer, nothing having changed."""
    before = snapshot(place)
    words = words.format(**{name: (place / name).read_text() for name in ("token", "key", "api")})
    arguments = [word.replace("@", str(place)) for word in words.split()]
    home = place / "elsewhere" if arguments[0] in {"init", "import-ca", "restore"} else place / "home"
    ran = counterseal(home, *arguments, "--dry-run", "--json")
    assert ran.code == 0, ran.stderr
    assert snapshot(place) == before
    answer: dict[str, Any] = json.loads(ran.stdout)
    assert answer["dry_run"] is True
    return answer


CASES = [
    ("init --passphrase-file @/passphrase", "elsewhere/keys/clients.key.pem", "new"),
    ("init --single-tier --no-passphrase", "elsewhere/store.sqlite", "new"),
    ("ca add partners --purpose client", "home/keys/partners.key.pem", "new"),
    ("ca retire clients --successor staff", None, ""),
    ("ca revoke staff", None, ""),
    ("server panel.test --out @/out", "out/panel.test.key.pem", "new"),
    ("client bob --out @/out", "out/bob.p12", "new"),
    ("client --batch @/people.csv --out @/many", "many/fay.p12", "new"),
    ("sign @/bob.csr --profile client --out @/new", "new/bob.cert.pem", "new"),
    ("renew alice --out @/again --force", "again/alice.cert.pem", "changed"),
    ("rekey alice --revoke-old --out @/again --force", "again/alice.key.pem", "changed"),
    ("export alice --format java --key-file @/out/alice.key.pem --out @/java", "java/alice.keystore.p12", "new"),
    ("crl --out @/lists", "lists/clients.crl.pem", "new"),
    ("revoke alice", None, ""),
    ("unrevoke dave", None, ""),
    ("refresh", None, ""),
    ("prove", None, ""),
    ("prove https://127.0.0.1:1/", None, ""),
    ("token pump-7 --profile client", None, ""),
    ("token revoke {token}", None, ""),
    ("acme eab add web-team", None, ""),
    ("acme eab revoke {key}", None, ""),
    ("api token add auditor --role viewer", None, ""),
    ("api token revoke {api}", None, ""),
    ("db upgrade", None, ""),
    ("reminders test", None, ""),
    ("handshake 127.0.0.1:1 --html @/page.html --keylog @/keys.log", "page.html", "new"),
    ("handshake 127.0.0.1:1 --keylog @/keys.log", "keys.log", "new"),
    ("timeline --svg @/ends.svg", "ends.svg", "new"),
    ("timer install", None, ""),
    ("timer remove", None, ""),
    ("timer install --unit-dir @/units", "units/counterseal-refresh.timer", "new"),
    ("backup @/new.backup --passphrase-file @/passphrase", "new.backup", "new"),
    ("restore @/old.backup --passphrase-file @/passphrase", "elsewhere/keys/root.key.pem", "new"),
    ("import-ca --certificate @/out/ca.pem --key @/ca.key --no-passphrase", "elsewhere/keys/root.key.pem", "new"),
    ("quickstart --dir @/demo", "demo/passphrase", "new"),
    ("nginx add app.test --root @", "home/counterseal.toml", "changed"),
    ("nginx deploy", "home/nginx/generations/0003/sites/panel.conf", "changed"),
    ("nginx render", None, ""),
    ("nginx render --snippets --out @/parts", "parts/http.conf", "new"),
    ("nginx rollback", "home/nginx/generations/0001/sites/panel.conf", "changed"),
    ("nginx lint @/nginx.conf --fix --write", "nginx.conf", "changed"),
    ("nginx stop", None, ""),
]


@pytest.mark.nginx
@pytest.mark.parametrize(("words", "file", "change"), CASES)
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
    assert row["size"] is None or row["size"] > 0
    assert (row["mode"] == "0600") == file.endswith(SECRET)
    assert not any(one["diff"] for one in answer["files"] if one["mode"] == "0600")


def test_every_rehearsal_is_tried() -> None:
    """A command with --dry-run that is not above fails here."""
    commands = {
        path.removeprefix("counterseal ")
        for path, command, _ in generate_docs.find_commands()
        if any(one.name == "dry_run" for one in command.params)
    }
    typed = [words.replace("token pump", "token make pump") for words, *_ in CASES]
    tried = {path for path in commands if any(f"{words} ".startswith(f"{path} ") for words in typed)}
    assert commands - tried == set(ELSEWHERE)


WRITTEN = (
    "init --passphrase-file {base}/passphrase",
    "ca add partners --purpose client --no-passphrase",
    "server www.test",
    "client ann --key rsa-2048",
    "client bob",
    "sign {base}/cid.csr --profile client",
    "renew bob --force",
    "rekey www.test --force",
    "export ann --format java --force",
    "export ann --format pem --key-file ann.key.pem --out packed",
    "export ann --format p12 --compatible --key-file ann.key.pem --out packed",
    "export ann --format mobileconfig --key-file ann.key.pem --out packed",
    "export ann --format kubernetes --key-file ann.key.pem --out packed",
    "crl",
    "crl --if-stale --out lists",
    "crl --out lists",
    "token pump-7 --profile client",
    "acme eab add web-team",
    "acme eab add another",
    "api token add auditor --role viewer",
    "nginx add panel.test --root {base}",
    "nginx add other.test --root {base}",
    "timer install --unit-dir units",
    "timer install --unit-dir units --passphrase-file passphrase",
    "timer remove --unit-dir units",
    "timeline --svg ends.svg",
    "db upgrade",
    "backup here.backup",
    "restore here.backup",
)
"""In the order in which they are done. A list that is not old is written nevertheless; ACME's first key needs a secret.

The store is another one after each.
"""


@pytest.mark.slow
@pytest.mark.parametrize("root", ["p-256", "rsa-3072"])
def test_what_is_written_is_what_was_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root: str) -> None:
    """No file more or less, with this mode and this size; only where it is said to vary, by a few octets."""
    base = tmp_path
    monkeypatch.chdir(base)
    monkeypatch.setenv("COUNTERSEAL_PASSPHRASE_FILE", write_secret(base / "passphrase", "not a secret here"))
    request = ["-newkey", "rsa:2048", "-nodes", "-keyout", "cid.key", "-subj", "/CN=cid", "-out", "cid.csr"]
    run_program("openssl", "req", "-new", *request, cwd=base)
    for words in WRITTEN:
        command = [*words.format(base=base).split(), *(["--key", root] if words.startswith("init") else [])]
        home = base / ("again" if words.startswith("restore") else "home")
        before = snapshot(base)
        rehearsed = here(home, *command, "--dry-run", "--json")
        assert (rehearsed.code, snapshot(base)) == (0, before), (words, rehearsed.stderr)
        assert here(home, *command).code == 0, words
        require_told(base, json.loads(rehearsed.stdout), before, home / "store.sqlite")


def require_told(base: Path, answer: dict[str, Any], before: dict[str, tuple[int, bytes]], store: Path) -> None:
    """Hold what was written and removed below ``base`` to what a rehearsal told; a store always changes."""
    told, there = {str(base / row["path"]): row for row in answer["files"]}, snapshot(base)
    after = {str(base / path): seen for path, seen in there.items() if (base / path).is_file()}
    same = {str(base / path): seen for path, seen in before.items()}
    written = {path for path, seen in after.items() if same.get(path) != seen and path != str(store)}
    assert written == {path for path, row in told.items() if row["change"] != "same" and path != str(store)}, answer
    removed = {str(base / act.removeprefix("remove ")) for act in answer["acts"] if act.startswith("remove ")}
    assert removed == {str(base / path) for path in before.keys() - there}
    for path, row in told.items():
        mode, content = after[path]
        assert f"{mode:04o}" == row["mode"], path
        away = abs(len(content) - row["size"])
        assert away <= ROOM.get(path.rpartition(".")[2], 16) * row["varies"], (path, away)


DEPLOYING = (
    "nginx deploy",
    "revoke eve",
    "revoke dave --reason certificate_hold",
    "unrevoke dave",
    "ca retire clients --successor partners",
    "ca revoke staff --yes",
    "refresh",
)
"""In the order in which they are done, each of which makes a generation; before the last a list is too old."""


@pytest.mark.nginx
@pytest.mark.slow
def test_a_generation_is_told_as_it_will_be(tmp_path: Path) -> None:
    """Every file of it and beside it by name, mode and size, and of the map of revocations the very difference."""
    home = tmp_path / "home"
    did(home, "init", "--no-passphrase")
    for name in ("staff", "partners"):
        did(home, "ca", "add", name, "--purpose", "client")
    for name in ("eve", "dave"):
        did(home, "client", name, "--no-p12", "--out", str(tmp_path / "out"))
    admitting = SITE.format(port=free_port(), more='client_cas = ["clients", "staff"]\nadmit = "known"')
    (home / "counterseal.toml").write_text(admitting)
    try:
        for number, words in enumerate(DEPLOYING, start=1):
            if words == "refresh":
                did(home, "crl")
            before = snapshot(home)
            told = {row["path"]: row for row in json.loads(did(home, *words.split(), "--dry-run", "--json"))["files"]}
            assert snapshot(home) == before, words
            did(home, *words.split())
            compare(home, number, told, before)
    finally:
        counterseal(home, "nginx", "stop")


def compare(home: Path, number: int, told: dict[str, Any], before: dict[str, tuple[int, bytes]]) -> None:
    """Compare what was told with what was written."""
    after = {str(home / path): seen for path, seen in snapshot(home).items() if (home / path).is_file()}
    old = {str(home / path): content for path, (_, content) in before.items()}
    beside = {path for path in after.keys() - old.keys() if f"/generations/{number:04d}/" not in path}
    generation = home / "nginx" / "generations" / f"{number:04d}"
    written = {path for path in after if path.startswith(f"{generation}/")}
    assert set(told) == written | (beside - {str(home / "nginx" / "deploy.lock"), str(home / "nginx" / "current")})
    for path, row in told.items():
        mode, content = after[path]
        assert row["mode"] == f"{mode:04o}", path
        assert row["size"] is None or abs(row["size"] - len(content)) <= 24 * row["varies"], path
        was = old.get(path.replace(f"/{number:04d}/", f"/{number - 1:04d}/"))
        if not row["varies"]:
            assert row["change"] == ("new" if was is None else "same" if was == content else "changed"), path
        if path.endswith("/revoked.map") and not any("/canaries/" in one for one in told):  # their numbers are drawn
            lines = {line[1:].encode() for line in row["diff"].splitlines() if line[:1] == "+" and line[:2] != "++"}
            assert lines == set(content.splitlines()) - set((was or b"").splitlines())


@pytest.mark.parametrize("archive", [(), ("--archive", "many.tar")])
def test_a_batch_tells_how_many_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, archive: tuple[str, ...]
) -> None:
    """All are counted, those of the first names and the sheet named; of a batch that is done there are none."""
    monkeypatch.chdir(tmp_path)
    assert here(tmp_path / "home", "init", "--no-passphrase").code == 0
    (tmp_path / "rows.csv").write_text("name\n" + "".join(f"n{number}\n" for number in range(5)))
    words = ("client", "--batch", "rows.csv", "--p12-rounds", "2048", *(archive or ("--out", "many")))
    ran = here(tmp_path / "home", *words, "--dry-run", "--json")
    told = json.loads(ran.stdout)
    assert here(tmp_path / "home", *words).code == 0
    if archive:
        with tarfile.open("many.tar") as made:
            count = len(made.getnames())
        assert [row["path"] for row in told["files"]] == ["many.tar", "many.issued.csv"]
    else:
        files = {f"many/{path.name}": f"{path.stat().st_mode & 0o777:04o}" for path in (tmp_path / "many").iterdir()}
        shown = {row["path"]: row["mode"] for row in told["files"]}
        assert len(shown) == 1 + 3 * 3 + 1
        assert shown.items() <= files.items()
        count = len(files) - 1
    assert told["file_count"] == count == 16
    assert "put 16 files there: ca.pem, n0.key.pem" in " ".join(told["acts"])
    again = json.loads(here(tmp_path / "home", *words, "--dry-run", "--json").stdout)
    assert (again["file_count"], again["files"]) == (0, [])


@pytest.mark.nginx
def test_the_difference_of_a_text_is_shown(place: Path) -> None:
    """A deploy shows which lines of the configuration change against the generation in force."""
    told = counterseal(place / "home", "nginx", "deploy", "--dry-run")
    assert "-    add_header Strict-Transport-Security" in told.stdout
    assert "+    ssl_protocols TLSv1.3;" in told.stdout
    assert "PRIVATE KEY" not in told.stdout


@pytest.mark.nginx
def test_what_render_prints_is_there_as_data(place: Path) -> None:
    """Every file with its content, but for the keys."""
    printed = did(place / "home", "nginx", "render")
    files = {row["path"]: row for row in json.loads(did(place / "home", "nginx", "render", "--json"))["files"]}
    assert f"# ---- sites/panel.conf\n{files['sites/panel.conf']['content']}" in printed
    assert files["sites/panel.chain.pem"]["content"].startswith("-----BEGIN CERTIFICATE")
    assert [path for path, row in files.items() if row["content"] is None] == ["sites/panel.key.pem"]


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
        ("renew alice --out @/again", 1, "file exists already"),
        ("token pump-7 --profile clent", 1, "no such profile"),
        ("token revoke x", 1, "no token of that id"),
        ("acme eab revoke x", 1, "no external account key of that id"),
        ("prove nowhere", 1, "no such site"),
    ],
)
def test_a_rehearsal_refuses_what_the_command_would(place: Path, words: str, code: int, said: str) -> None:
    """In the same words and with the same exit code."""
    before = snapshot(place)
    ran = counterseal(place / "home", *(word.replace("@", str(place)) for word in words.split()), "--dry-run")
    assert (ran.code, said in ran.stderr) == (code, True), ran.stderr
    assert snapshot(place) == before
