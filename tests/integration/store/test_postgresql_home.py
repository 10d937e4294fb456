"""A home whose store is in PostgreSQL, used by the commands as any other."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from cryptography import x509

import dying
import one_site
from api_client import CONFIGURATION, Client, make_api
from command import counterseal, write_secret
from counterseal.store.postgresql import open_store
from counterseal.store.records import NewKeyUse
from ports import free_port
from postgresql_process import cluster
from service_process import SECONDS, running

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow


def test_a_ca_in_postgresql(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Made, used and looked at; nothing of the store is in the home."""
    home, url = tmp_path / "home", cluster().create()
    home.mkdir()
    monkeypatch.chdir(tmp_path)
    (home / "counterseal.toml").write_text(f'[store]\nurl = "{url}"\n')
    missing = counterseal(home, "list")
    assert missing.code == 1
    assert "there is no store here: postgresql://" in missing.stderr
    assert counterseal(home, "init", "--no-passphrase").code == 0
    assert "there is a CA already" in counterseal(home, "init", "--no-passphrase").stderr
    assert counterseal(home, "server", "panel.example.com").code == 0
    assert counterseal(home, "client", "alice").code == 0
    assert counterseal(home, "revoke", "alice", "--reason", "key_compromise").code == 0
    assert counterseal(home, "crl").code == 0
    assert "intact" in counterseal(home, "log", "verify").stdout
    listed = json.loads(counterseal(home, "list", "--json", "--status", "revoked").stdout)
    assert [one["name"] for one in listed["certificates"]] == ["alice"]
    write_secret(tmp_path / "passphrase", "correct horse battery\n")
    sealing = ("backup", str(tmp_path / "x.backup"), "--passphrase-file", str(tmp_path / "passphrase"))
    assert counterseal(home, *sealing, "--dry-run").code == 0
    assert counterseal(home, *sealing).code == 0
    assert sorted(path.name for path in home.iterdir()) == ["counterseal.toml", "keys"]
    cluster().drop(url)


def test_a_page_of_the_log_reads_a_page(tmp_path: Path) -> None:
    """By the command and over the API: of a cursor's answer the server would find all before it gives the first row."""
    home, url = tmp_path / "home", cluster().create()
    make_api(home, CONFIGURATION + f'[store]\nurl = "{url}"\n', ["viewer"])
    with open_store(url) as store, store.transaction():
        store._append_key_uses(NewKeyUse(0, "test", "certificate", "clients", None, bytes(32)) for _ in range(500))
    name = urlsplit(url).path.strip("/")

    def rows_read() -> int:
        """Return how many rows of the log were read; a connection tells when it ends."""
        deadline = time.monotonic() + SECONDS
        while (name,) in cluster().sql("select datname from pg_stat_activity"):
            assert time.monotonic() < deadline
        read = "select seq_tup_read + idx_tup_fetch from pg_stat_user_tables where relname = 'key_use'"
        ((rows,),) = cluster().sql(read, name)
        return int(str(rows))

    before = rows_read()
    shown = counterseal(home, "log", "show", "--after", "0", "--limit", "5", "--json")
    assert [one["sequence"] for one in json.loads(shown.stdout)["key_uses"]] == [1, 2, 3, 4, 5]
    after = rows_read()
    assert 5 <= after - before < 50
    with running(home) as service:
        for _ in range(20):
            page = Client(service, "viewer").call("GET", "/v1/key-uses?limit=5").json
            assert [one["sequence"] for one in page["key_uses"]] == [1, 2, 3, 4, 5]
    assert rows_read() - after < 20 * 50 + 1_500  # who counts them for the metrics reads all of them, too
    cluster().drop(url)


@pytest.mark.skipif(shutil.which("faketime") is None, reason="no faketime here")
@pytest.mark.parametrize("off", ["+2h", "-2h"])
def test_a_clock_apart_signs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, off: str) -> None:
    """By one that is ahead of the database's all other hosts would be behind the log; somebody may say it is right."""
    home, url = tmp_path / "home", cluster().create()
    home.mkdir()
    (home / "counterseal.toml").write_text(f'[store]\nurl = "{url}"\n')
    assert counterseal(home, "init", "--no-passphrase").code == 0
    command = ["faketime", "-f", off, sys.executable, "-m", "counterseal", "crl", "--json", "--home", str(home)]

    def sign() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=SECONDS
        )

    refused = sign()
    assert (refused.returncode, json.loads(refused.stdout)["error"]["code"]) == (4, "clock.apart"), refused.stderr
    assert counterseal(home, "crl").code == 0
    monkeypatch.setenv("COUNTERSEAL_ACCEPT_CLOCK", "1")
    assert sign().returncode == 0
    cluster().drop(url)


@pytest.mark.nginx
@pytest.mark.parametrize("admit", ["valid", "known"])
def test_sites_on_two_hosts_of_one_store(tmp_path: Path, admit: str) -> None:
    """A revocation is in force where it was typed; elsewhere after a refresh there, and that is said.

    Nothing else is due on a host because of a deploy on the other, which has lists and probes of its own.
    """
    first, second, url = tmp_path / "first", tmp_path / "second", cluster().create()
    ports = {home: free_port() for home in (first, second)}
    for home, port in ports.items():
        home.mkdir()
        (home / "counterseal.toml").write_text(f'[store]\nurl = "{url}"\n' + one_site.SITE.format(port=port))
        with (home / "counterseal.toml").open("a") as file:
            file.write(f'admit = "{admit}"\n')
    assert counterseal(first, "init", "--no-passphrase").code == 0
    shutil.copytree(first / "keys", second / "keys")
    assert counterseal(first, "client", "ann", "--no-p12", "--out", str(tmp_path / "out")).code == 0
    try:
        assert [counterseal(home, "nginx", "deploy").code for home in ports] == [0, 0]
        assert [counterseal(home, "refresh").stdout for home in ports] == ["nothing is due\n"] * 2
        assert [_status_of_probe(home, url) for home in ports] == ["valid", "valid"]
        revoked = counterseal(first, "revoke", "ann", "--json")
        assert revoked.code == 0, revoked.stderr
        assert "nginx on another host has it once this has run there: counterseal refresh" in revoked.stderr
        assert [one_site.meets(home, port, "ann") for home, port in ports.items()] == [400, 200]
        assert counterseal(second, "refresh").code == 0
        assert one_site.meets(second, ports[second], "ann") == 400
        assert [counterseal(home, "refresh").stdout for home in ports] == ["nothing is due\n"] * 2
        assert counterseal(first, "client", "eve", "--no-p12", "--out", str(tmp_path / "out")).code == 0
        if admit == "known":
            assert [counterseal(home, "refresh").code for home in ports] == [0, 0]
        assert [one_site.meets(home, port, "eve") for home, port in ports.items()] == [200, 200]
        assert [counterseal(home, "refresh").stdout for home in ports] == ["nothing is due\n"] * 2
    finally:
        assert [counterseal(home, "nginx", "stop").code for home in ports] == [0, 0]
    cluster().drop(url)


@pytest.mark.nginx
@pytest.mark.parametrize(
    ("admit", "earlier", "revoked"),
    [("valid", 0, ["ann"]), ("valid", 1, ["ann"]), ("known", 1, [])],
    ids=["the first deploy", "a later one", "a list of the known"],
)
def test_what_a_failover_lost_hides_no_lock_out(tmp_path: Path, admit: str, earlier: int, revoked: list[str]) -> None:
    """A host has deployed what the store has forgotten since, which gives the numbers of its changes again."""
    first, second, url = tmp_path / "first", tmp_path / "second", cluster().create()
    name, ports = urlsplit(url).path.strip("/"), {home: free_port() for home in (first, second)}
    for home, port in ports.items():
        home.mkdir()
        settings = f'[store]\nurl = "{url}"\n{one_site.SITE.format(port=port)}admit = "{admit}"\n'
        (home / "counterseal.toml").write_text(settings)
    assert counterseal(first, "init", "--no-passphrase").code == 0
    shutil.copytree(first / "keys", second / "keys")
    assert counterseal(first, "client", "ann", "--no-p12", "--out", str(tmp_path / "out")).code == 0
    try:
        for home in (first, second)[: 1 + earlier]:
            assert counterseal(home, "nginx", "deploy").code == 0
        older = urlsplit(cluster().create(name)).path.strip("/")
        assert counterseal(second, "nginx", "deploy").code == 0
        until = int(time.time()) + 1
        cluster().drop(url)
        cluster().sql(f"alter database {older} rename to {name}")
        while time.time() < until:  # times of the store are whole seconds
            time.sleep(0.01)
        for one in revoked:
            assert counterseal(first, "revoke", one).code == 0
        ran = counterseal(second, "refresh")
        assert (ran.code, one_site.meets(second, ports[second], "ann")) == (0, 400 if revoked else 200), ran.stderr
    finally:
        assert [counterseal(home, "nginx", "stop").code for home in ports] == [0, 0]
    cluster().drop(url)


def _status_of_probe(home: Path, url: str) -> str:
    """Return what the store says of the client by which the generation in force of a home is proved."""
    good = (home / "nginx" / "current" / "probes" / "clients" / "good.pem").read_bytes()
    with open_store(url) as store:
        return store.certificate(x509.load_pem_x509_certificate(good).serial_number).status


def test_a_frozen_publisher_publishes_nothing_late(tmp_path: Path) -> None:
    """It is stopped with the number of a list in hand, another one publishes; it wakes up and takes a new number."""
    home, url = tmp_path / "home", cluster().create()
    home.mkdir()
    (home / "counterseal.toml").write_text(f'[store]\nurl = "{url}"\n')
    assert counterseal(home, "init", "--no-passphrase").code == 0
    program = [
        sys.executable,
        dying.__file__,
        "counterseal.authority.publish",
        "sign_crl",
        "1:SIGSTOP",
    ]
    frozen = subprocess.Popen([*program, "crl", "--home", str(home)], stdout=subprocess.DEVNULL)
    try:
        dying.wait_until_frozen(frozen.pid)
        assert counterseal(home, "crl").code == 0
        frozen.send_signal(signal.SIGCONT)
        assert frozen.wait(4 * SECONDS) in {0, 1}, "1 where it was frozen for longer than it tries"
    finally:
        frozen.kill()
        frozen.wait()
    with open_store(url) as store:
        uses = [(use.ca, use.action) for use in store.key_uses() if use.action.startswith("crl ")]
        ((ca, late),) = [(ca, action) for ca, action in uses if action.endswith(", discarded")]
        latest = store.latest_crl_number(ca)
    number = int(late.split()[1].rstrip(","))
    told = [action for name, action in uses if name == ca]
    told = told[told.index(late) - 1 :]
    assert told in ([f"crl {number + 1}", late], [f"crl {number + 1}", late, f"crl {number + 2}"])
    assert latest == number + len(told) - 1
    assert counterseal(home, "log", "verify").code == 0
    cluster().drop(url)


def test_a_password_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    """As a key would be."""
    (tmp_path / "counterseal.toml").write_text(
        '[store]\nurl = "postgresql://ann@localhost/x"\npassword_file = "secret"\n'
    )
    (tmp_path / "secret").write_text("hidden\n")
    (tmp_path / "secret").chmod(0o644)
    ran = counterseal(tmp_path, "list")
    assert (ran.code, "hidden" in ran.stderr) == (1, False)
    assert "others can read the secret" in ran.stderr


def test_a_batch_killed_goes_on_in_postgresql(tmp_path: Path) -> None:
    """Its second chunk is signed and not recorded: those numbers stay reserved, and no row is issued twice or lost."""
    home, url = tmp_path / "home", cluster().create()
    home.mkdir()
    (home / "counterseal.toml").write_text(f'[store]\nurl = "{url}"\n')
    assert counterseal(home, "init", "--no-passphrase").code == 0
    (tmp_path / "rows.csv").write_text("name\n" + "".join(f"device-{number}\n" for number in range(1100)))
    words = ("client", "--batch", str(tmp_path / "rows.csv"), "--no-p12", "--archive", str(tmp_path / "all.tar"))
    dying.die(home, "counterseal.store.issuance:Issuance.record_block", 2, *words)
    assert (_issued(url), _reserved(home)) == (1000, 100)
    assert counterseal(home, *words).code == 0
    assert (_issued(url), _reserved(home)) == (1100, 100)
    assert "intact" in counterseal(home, "log", "verify").stdout
    cluster().drop(url)


def _issued(url: str) -> int:
    with open_store(url) as store:
        return len(store.rows("select distinct name from certificate where profile = 'client' and status = 'valid'"))


def _reserved(home: Path) -> int:
    ran = counterseal(home, "list", "--json", "--limit", "1000", "--status", "reserved")
    return len(json.loads(ran.stdout)["certificates"])
