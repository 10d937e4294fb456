"""What a command refuses, by the code that a program goes by: one line for each, typed as a person would."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from command import here, write_secret
from counterseal.cli import timer
from counterseal.protocols.api.wishes import EXAMPLE_CSR
from guides import program
from programs import run_program

pytestmark = pytest.mark.slow

BARE_NGINX = """\
#!/bin/sh
echo 'nginx version: nginx/1.28.0
built with OpenSSL 3.0.15 3 Sep 2024
TLS SNI support enabled
configure arguments: --with-http_ssl_module --without-http_map_module' >&2
"""
SECRET = "cst_" + "A" * 43
IMPORT = "import-ca --no-passphrase"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return what the lines name: ``base``, with a CA in ``home`` there and files that are not what they should be.

    The ids are those of what has been revoked already.
    """
    base = tmp_path_factory.mktemp("refused")
    home = base / "home"
    assert here(home, "init", "--no-passphrase").code == 0
    for words in (("client", "ann", "--no-p12"), ("server", "www.example.com")):
        assert here(home, *words, "--out", str(base)).code == 0
    for name, text in FILES.items():
        (base / name).parent.mkdir(parents=True, exist_ok=True)
        (base / name).write_text(text)
    lose_key(home, base)
    write_secret(base / "passphrase", "correct horse battery\n")
    write_secret(base / "secret", SECRET)
    make_keys(base)
    make_homes(base)
    return {
        "base": str(base),
        "eab": revoked(home, "acme eab", "add team", "external_key"),
        "api": revoked(home, "api token", "add team --role viewer", "api_token"),
        "token": revoked(home, "token", "make team --profile client", "token"),
    }


def lose_key(home: Path, base: Path) -> None:
    """Have a key certified twice, and one of both revoked because somebody else has it."""
    key = f"openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout {base}/lost.key -out {base}/lost.csr"
    run_program(*key.split(), "-subj", "/CN=lost.example.com", cwd=base)
    for more in (("server", "--name", "stolen"), ("client",)):
        assert here(home, "sign", str(base / "lost.csr"), "--profile", *more, "--out", str(base / more[0])).code == 0
    assert here(home, "revoke", "stolen", "--reason", "key_compromise").code == 0


def make_keys(base: Path) -> None:
    """Make an encrypted key for a machine's certificate, and a certificate that is its own issuer but no CA."""
    (base / "sealed").mkdir()
    (base / "sealed" / "x.cert.pem").write_bytes((base / "ann.cert.pem").read_bytes())
    sealing = f"openssl pkcs8 -topk8 -in {base}/ann.key.pem -out {base}/sealed/x.key.pem -passout pass:xxxx"
    own = f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=self -keyout {base}/self.key"
    for command in (sealing, f"{own} -addext basicConstraints=critical,CA:FALSE -out {base}/self.pem"):
        run_program(*command.split(), cwd=base)


def make_homes(base: Path) -> None:
    """Make a CA that ends, one of one tier, one with a site, one whose nginx lacks a module, and another program's."""
    assert here(base / "ended", "init", "--no-passphrase", "--lifetime", "1s").code == 0
    ended = time.time() + 2
    assert here(base / "one", "init", "--no-passphrase", "--single-tier").code == 0
    for name in ("sited", "bare"):
        assert here(base / name, "init", "--no-passphrase").code == 0
        assert here(base / name, "nginx", "add", "www.example.com", "--root", str(base)).code == 0
    program(base / "nginx", BARE_NGINX)
    settings = base / "bare" / "counterseal.toml"
    settings.write_text(f'{settings.read_text()}[nginx]\nbinary = "{base}/nginx"\n')
    taken = f"{IMPORT} --certificate {base}/ca.pem --key {base}/home/keys/root.key.pem --index {base}/taken/index.txt"
    assert here(base / "taken-over", *taken.split()).code == 0
    time.sleep(max(0, ended - time.time()))


def revoked(home: Path, command: str, making: str, member: str) -> str:
    """Make a key or token, revoke it, and return its id."""
    made = here(home, *command.split(), *making.split(), "--json")
    assert made.code == 0, made.stderr
    identifier = str(json.loads(made.stdout)[member]["id"])
    assert here(home, *command.split(), "revoke", identifier).code == 0
    return identifier


FILES = {
    "app.csr": EXAMPLE_CSR,
    "text": "hello\n",
    "rows.csv": "name\nbob\nbob\n",
    "refused.csv": "name\nann\n",
    "empty.csv": "name\n",
    "index.txt": "V\tsoon\n",
    "odd/index.txt": "",
    "taken/index.txt": "V\t300101000000Z\t\t0A\tunknown\t/CN=old\n",
    "odd/crlnumber": "many\n",
    "leftover/keys/root.key.pem": "",
    "syntax/counterseal.toml": "[serve\n",
    "extends/counterseal.toml": '[profiles.x]\nextends = "ca"\n',
    "lifetime/counterseal.toml": '[profiles.x]\nextends = "client"\nlifetime = "9d"\nmax_lifetime = "8d"\n',
    "public/counterseal.toml": '[serve]\npublic_url = "http://ca.example.com"\n',
    "http/counterseal.toml": '[serve]\nhttp_url = "https://ca.example.com"\n',
    "half/counterseal.toml": '[serve]\ncertificate = "own.pem"\n',
    "reminded/counterseal.toml": "[reminders.mail]\nto = []\n",
}

REFUSED = [
    ("acme eab revoke nobody", "acme.no_external_key"),
    ("api token revoke nobody", "api_token.not_found"),
    ("token revoke nobody", "token.not_found"),
    ("acme eab revoke {eab}", "acme.external_key_revoked"),
    ("api token revoke {api}", "api_token.revoked_already"),
    ("token revoke {token}", "token.revoked_already"),
    ("handshake localhost:1 --p12 {base}/text", "pkcs12.malformed"),
    ("nginx lint {base}/nowhere.conf", "nginx.unreadable"),
    ("backup {base}/no/such/x.backup --passphrase-file {base}/passphrase", "backup.write"),
    ("client --batch {base}/rows.csv --archive {base}/all.zip --no-p12", "batch.archive_name"),
    ("client --batch {base}/rows.csv --dns x.example.com --no-p12", "batch.option"),
    ("client --batch {base}/rows.csv --no-p12 --out {base}/batch", "batch.rows"),
    ("client --batch /dev/null --no-p12 --out {base}/batch", "batch.no_file"),
    ("client --batch {base}/refused.csv --no-p12 --out {base}", "batch.refused"),
    ("client --batch {base}/empty.csv --no-p12 --out {base}/batch", "batch.empty"),
    ("client bob --group staff --subject CN=bob --no-p12", "subject.group"),
    ("sign {base}/app.csr --profile server --group staff", "subject.group"),
    ("sign {base}/app.csr --profile client --group staff --subject CN=app", "subject.group"),
    ("sign {base}/lost.csr --profile client --name ann", "key.compromised"),
    ("renew lost.example.com", "key.compromised"),
    ("ca add a/b --purpose client", "ca.name"),
    ("ca retire clients --successor servers", "ca.successor"),
    ("ca retire root --successor clients", "ca.not_issuing"),
    ("init --no-passphrase", "ca.exists"),
    ("nginx rollback", "deploy.no_previous"),
    ("prove", "site.none"),
    ("prove nowhere", "site.unknown"),
    ("nginx deploy", "site.none"),
    ("verify {base}/www.example.com.cert.pem --hostname https://www.example.com", "name.of_server"),
    ("verify {base}/ann.cert.pem --trust {base}/www.example.com.cert.pem --fetch-ocsp", "ocsp.issuer"),
    ("verify {base}/ann.cert.pem --fetch-ocsp", "ocsp.no_responder"),
    ("verify {base}/ann.cert.pem --ocsp {base}/text", "ocsp.malformed"),
    ("verify {base}/ann.cert.pem --crl {base}/text", "crl.none"),
    ("verify {base}/ann.cert.pem --crl ldap://x.example.com", "fetch.scheme"),
    ("handshake localhost:1 --p12 {base}/ann.cert.pem", "pkcs12.pem"),
    ("handshake localhost:1 --sni a.example.com --no-sni", "handshake.sni"),
    ("handshake ann@localhost:1", "target.user"),
    ("prove ftp://localhost", "prove.url"),
    ("reminders show", "reminder.nobody"),
    (f"enroll https://localhost:1 --token {SECRET} --out {{base}}/e", "token.argument"),
    ("enroll https://localhost:1 --token {base}/text --out {base}/e", "token.malformed"),
    ("enroll https://localhost:1 --token {base}/secret --fingerprint abc --out {base}/e", "est.fingerprint"),
    ("renew --server https://localhost:1 --out {base}/sealed", "key.encrypted"),
    ("renew --server https://localhost:1 --out {base}/home", "place.none"),
    ("serve --listen unix:{base}/x.sock", "serve.public_url"),
]
ELSEWHERE = [
    ("leftover", "init --no-passphrase", "home.leftover"),
    ("syntax", "init --no-passphrase", "config.syntax"),
    ("new", "import-ca --no-passphrase", "import.files"),
    ("new", f"{IMPORT} --certificate {{base}}/text --key {{base}}/home/keys/root.key.pem", "certificate.none"),
    ("new", f"{IMPORT} --certificate {{base}}/ca.pem --key {{base}}/ann.key.pem", "import.key"),
    (
        "new",
        f"{IMPORT} --certificate {{base}}/ca.pem --key {{base}}/home/keys/root.key.pem --index {{base}}/index.txt",
        "import.index",
    ),
    (
        "new",
        f"{IMPORT} --certificate {{base}}/ca.pem --key {{base}}/home/keys/root.key.pem --index {{base}}/odd/index.txt",
        "import.crl_number",
    ),
    ("new", f"{IMPORT} --certificate {{base}}/self.pem --key {{base}}/self.key", "import.not_ca"),
    ("one", "ca add more --purpose client", "ca.single_tier"),
    ("ended", "ca add more --purpose client", "ca.root_expired"),
    ("new", "restore {base}/nowhere.backup --passphrase-file {base}/passphrase", "backup.read"),
    ("taken-over", "renew old", "certificate.not_kept"),
    ("sited", "prove", "generation.none"),
    ("bare", "nginx deploy", "nginx.no_module"),
]


@pytest.mark.parametrize(
    ("where", "words", "code"),
    [*(("home", *one) for one in REFUSED), *ELSEWHERE],
    ids=[one[-1] for one in (*REFUSED, *ELSEWHERE)],
)
def test_a_command_says_why_by_its_code(place: dict[str, str], where: str, words: str, code: str) -> None:
    """On stdout for a program, and in words beside it; where it can be rehearsed, that is refused with the same."""
    home, command = Path(place["base"], where), [*words.format_map(place).split(), "--json"]
    rehearsed = here(home, *command, "--dry-run")
    ran = here(home, *command)
    assert ran.code in {1, 2, 4}, ran
    if json.loads(rehearsed.stdout).get("error", {}).get("code") != "command.usage":  # it has no --dry-run
        assert (rehearsed.code, rehearsed.stdout) == (ran.code, ran.stdout)
    assert json.loads(ran.stdout)["error"]["code"] == code
    assert ran.stderr.startswith("error: ")


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("extends", "config.extends"),
        ("lifetime", "config.lifetime"),
        ("public", "config.public_url"),
        ("http", "config.http_url"),
        ("half", "config.certificate"),
        ("reminded", "config.reminders"),
    ],
)
def test_a_setting_is_named_by_its_code(place: dict[str, str], name: str, code: str) -> None:
    """Among all the others of the file."""
    error = json.loads(here(Path(place["base"], name), "init", "--no-passphrase", "--json").stdout)["error"]
    assert (error["code"], [one["code"] for one in error["findings"]]) == ("config.invalid", [code])


def test_a_log_that_was_edited_is_not_restored(place: dict[str, str], tmp_path: Path) -> None:
    """It was so before the backup was made."""
    home, given = tmp_path / "home", ("--passphrase-file", f"{place['base']}/passphrase")
    assert here(home, "init", "--no-passphrase").code == 0
    with closing(sqlite3.connect(home / "store.sqlite")) as connection, connection:
        for (name,) in connection.execute("select name from sqlite_master where type = 'trigger'").fetchall():
            connection.execute(f"drop trigger {name}")
        connection.execute("update key_use set actor = 'nobody' where sequence = 2")
    assert here(home, "backup", str(tmp_path / "x.backup"), *given).code == 0
    ran = here(tmp_path / "other", "restore", str(tmp_path / "x.backup"), *given, "--json")
    assert (ran.code, json.loads(ran.stdout)["error"]["code"]) == (1, "backup.log")
    assert list((tmp_path / "other").rglob("*")) == []


def test_a_timer_that_systemd_does_not_take(
    place: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own last words are the reason."""
    program(tmp_path / "bin" / "systemctl", "#!/bin/sh\necho 'Access denied' >&2\nexit 4\n")
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    monkeypatch.setattr(timer, "SYSTEMD_RUNS", tmp_path)
    monkeypatch.setattr(timer, "UNITS", tmp_path)
    ran = here(Path(place["base"], "home"), "timer", "install", "--json")
    error = json.loads(ran.stdout)["error"]
    assert (error["code"], error["message"].partition(" failed: ")[2]) == ("timer.systemctl", "Access denied")
