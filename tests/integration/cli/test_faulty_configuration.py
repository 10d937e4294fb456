"""A mistake in counterseal.toml keeps nobody from what needs another part of it, least of all from a revocation."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from api_client import CONFIGURATION, Client, make_api
from command import counterseal, here, write_secret
from counterseal.authority.revoke import revoke
from counterseal.compose.home import open_authority
from counterseal.nginx.binary import find_nginx
from counterseal.pki.crl import RevocationReason
from one_site import SITE, meets
from ports import free_port, taken_port
from service_process import running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FAULTY = """\
[nginx]
conf = "/etc/nginx/nginx.conf"
[reminders.mail]
too = ["a@b.test"]
[acme]
attempts = 9
[sites.panel]
names = ["panel.test"]
listen = 443
root = "/srv"
"""
TAKEN = """\
[sites.shop]
server_names = ["shop.test"]
listen = ["127.0.0.1:PORT"]
root = "/srv"
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a home with clients, frank held, and a configuration with faults in every part but the CA's own."""
    home = tmp_path_factory.mktemp("faulty") / "home"
    assert here(home, "init", "--no-passphrase").code == 0
    for name in ("alice", "bob", "dave", "erin", "frank"):
        assert here(home, "client", name, "--no-p12", "--out", str(home.parent / "out")).code == 0
    assert here(home, "revoke", "frank", "--reason", "certificate_hold").code == 0
    write_secret(home.parent / "passphrase", "not a secret here\n")
    (home / "counterseal.toml").write_text(FAULTY)
    return home


@pytest.mark.parametrize(
    "words",
    [
        "list --json",
        "show alice --json",
        "ca list --json",
        "timeline --json",
        "log verify --json",
        "crl --json",
        "crl --if-stale",
        "backup @/a.backup --passphrase-file @/passphrase",
        "revoke bob --no-deploy --json",
        "revoke dave --reason certificate_hold --json",
        "unrevoke frank --json",
        "client carol --no-p12 --out @/out --json",
        "renew alice --out @/again --json",
        "token pump-7 --profile client --json",
        "inspect @/out/alice.cert.pem",
        "db upgrade",
    ],
)
def test_what_needs_none_of_it_works(home: Path, words: str) -> None:
    """The store and the rules of the CA are sound, and that is all that these ask for."""
    ran = here(home, *words.replace("@", str(home.parent)).split())
    assert ran.code == 0, ran.stderr


@pytest.mark.parametrize("words", ["nginx deploy", "nginx render", "prove", "serve", "reminders show", "refresh"])
def test_what_needs_it_names_every_fault(home: Path, words: str) -> None:
    """With path, line, value and what mends it, as data too, whichever part was asked for."""
    ran = here(home, *words.split(), "--json")
    assert ran.code == 2
    error = json.loads(ran.stdout)["error"]
    assert [(one["line"], one["where"]) for one in error["findings"]] == [
        (2, "nginx.conf"),
        (4, "reminders.mail.too"),
        (6, "acme.attempts"),
        (8, "sites.panel.names"),
        (9, "sites.panel.listen"),
    ]
    assert all(one["hint"] for one in error["findings"] if one["where"] != "acme.attempts")
    assert "  - line 8, sites.panel.names: unknown key: 'names'\n    hint: did you mean 'server_names'?" in ran.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('[sites.panel]\nserver_names = ["p.test"]\nlisten = [443]\nroot = "/srv"\nclient_cas = []\n', "sites.panel"),
        ("[nginx]\nuser = 1\n", "nginx.user"),
    ],
)
def test_a_service_needs_no_site(tmp_path: Path, text: str, where: str) -> None:
    """It starts, and names the fault; the API has no answer about what is faulty, and all others."""
    home = tmp_path / "home"
    make_api(home, CONFIGURATION, ["viewer"])
    (home / "counterseal.toml").write_text(CONFIGURATION + text)
    with running(home) as service:
        told = service.logged("counterseal.toml has a fault", level="error")
        assert (told["where"].startswith(where), told["line"] > 2) == (True, True)
        viewer = Client(service, "viewer")
        for path in ("/v1/nginx/configuration", "/v1/nginx/status", *(["/v1/sites"] if "sites" in where else [])):
            answer = viewer.call("GET", path)
            assert (answer.status, answer.json["code"]) == (503, "config.invalid")
        for path in ("/v1/nginx/generations", "/v1/cas", "/healthz", "/crl/clients.crl"):
            assert viewer.call("GET", path).status == 200


def test_refresh_signs_what_is_due_before_it_tells(home: Path) -> None:
    """A revocation that no list has yet, as of a command that was killed."""
    with open_authority(home, lambda: None) as authority:
        before = authority.store.latest_crl_times("clients")
        revoke(authority, "erin", RevocationReason.UNSPECIFIED)
        ran = here(home, "refresh")
        after = authority.store.latest_crl_times("clients")
    assert before
    assert after
    assert (after.number, after.entries) == (before.number + 1, before.entries + 1)
    assert ran.code == 2
    assert re.match(r"log of CA keys: [0-9]+:[0-9a-f]{64}\nnew lists: clients\nerror: ", ran.stderr), ran.stderr


@pytest.mark.parametrize(
    ("text", "code", "told"),
    [
        ("[sites.panel]\nlisten = [443\n", 0, ""),
        (
            "[store]\n[sites.panel]\nlisten = [443\n",
            2,
            "nothing is read or recorded before, because",
        ),
        ("[database]\nurl = 'postgresql://db/ca'\n", 2, "did you mean 'store'?"),
    ],
)
def test_where_the_store_is_must_be_readable(home: Path, text: str, code: int, told: str) -> None:
    """What names it, or seems to, is not taken for a store in the home; what shows no trace of it is."""
    (home / "counterseal.toml").write_text(text)
    ran = here(home, "list")
    (home / "counterseal.toml").write_text(FAULTY)
    assert ran.code == code, ran.stderr
    assert told in ran.stderr


def test_a_home_whose_configuration_may_name_its_store_is_not_called_empty(tmp_path: Path) -> None:
    """Else the hint would be to make another CA."""
    (tmp_path / "counterseal.toml").write_text("[stor]\nurl = 'postgresql://db/ca'\n")
    ran = here(tmp_path, "list")
    assert ran.code == 2
    assert "did you mean 'store'?" in ran.stderr


@pytest.fixture
def deployed(tmp_path: Path) -> Iterator[tuple[Path, int]]:
    """Return a home with alice and bob whose site is in force, and its port; nginx is stopped in the end."""
    home, port = tmp_path / "home", free_port()
    assert here(home, "init", "--no-passphrase").code == 0
    for name in ("alice", "bob"):
        assert here(home, "client", name, "--no-p12", "--out", str(tmp_path / "out")).code == 0
    (home / "counterseal.toml").write_text(SITE.format(port=port))
    assert counterseal(home, "nginx", "deploy").code == 0
    yield home, port
    (home / "counterseal.toml").write_text(SITE.format(port=port))
    counterseal(home, "nginx", "stop")


def listed(home: Path) -> int:
    """Return how many certificates the newest list of the client CA revokes; signs none."""
    document = json.loads(here(home, "crl", "--if-stale", "--json").stdout)
    assert document["signed"] == []
    (entries,) = [one["entries"] for one in document["crls"] if one["issuer"] == "clients"]
    return int(entries)


def forget(home: Path) -> None:
    """Have the generation in force be one of before settings were kept."""
    (home / "nginx" / "current" / "counterseal.toml").unlink()


@pytest.mark.nginx
@pytest.mark.parametrize("verb", ["revoke", "refresh", "ca revoke"])
@pytest.mark.parametrize(
    ("wrong", "code", "told"),
    [
        ("tsl = 'modern'\n", "config.invalid", "  - line 5, sites.panel.tsl: unknown key: 'tsl'"),
        ("[nginx]\nbinary = '/nowhere'\n", "nginx.missing", "counterseal.toml is refused: nginx not found: /nowhere"),
        ("[sites.shop]\nlisten = [", "config.syntax", "counterseal.toml is refused: not a TOML file: "),
        (TAKEN, "deploy.reload_failed", " is not taken by nginx: nginx could not reload: "),
    ],
    ids=["site", "nginx", "syntax", "port"],
)
def test_who_is_revoked_is_locked_out_by_the_settings_in_force(
    deployed: tuple[Path, int], verb: str, wrong: str, code: str, told: str
) -> None:
    """Whatever is wrong with those of today: that is told, rehearsed too, and the next revocation does it again."""
    home, port = deployed
    settings = home / "counterseal.toml"
    right = settings.read_text()
    with taken_port() as taken:
        settings.write_text(right + wrong.replace("PORT", str(taken)))
        if verb == "refresh":
            assert here(home, "revoke", "alice", "--no-deploy").code == 0
        words = {
            "revoke": ("revoke", "alice"),
            "refresh": ("refresh",),
            "ca revoke": ("ca", "revoke", "clients", "--yes"),
        }
        rehearsed = here(home, *words[verb], "--dry-run")
        ran = counterseal(home, *words[verb], "--json")
        again = counterseal(home, "revoke", "bob") if verb == "revoke" else None
        assert counterseal(home, "nginx", "deploy").code != 0, "what locks nobody out waits until the file is mended"
    if (verb, code) == ("refresh", "config.syntax"):  # nothing is known of [reminders] either, and that is told last
        assert (ran.code, rehearsed.code, meets(home, port, "alice")) == (2, 2, 400)
        return
    if code != "deploy.reload_failed":
        assert "would keep the sites as they are, because counterseal.toml is refused: " in rehearsed.stdout
    assert ran.code == (3 if verb == "refresh" else 0), ran.stderr
    document = json.loads(ran.stdout)
    assert ([one["code"] for one in document["passed_over"]], document["settings_of_before"]) == ([code], True)
    assert document["proved"] is True
    refused = verb != "refresh"
    assert [meets(home, port, name) for name in ("alice", "bob")] == [400, 400 if refused else 200]
    if again is not None:
        assert (again.code, told in again.stderr) == (0, True), again.stderr
        assert "hint: the sites are as the generation before has them, with the new lists" in again.stderr
    kept = home / "nginx" / "current" / "counterseal.toml"
    assert (kept.read_text(), kept.stat().st_mode & 0o777) == (right, 0o600)


@pytest.mark.nginx
@pytest.mark.parametrize("verb", ["revoke", "refresh"])
def test_sites_that_are_gone_from_the_file_are_served_on_and_lock_out(deployed: tuple[Path, int], verb: str) -> None:
    """Emptied or deleted; where nobody knows what they were, it fails, and what nginx does is told."""
    home, port = deployed
    settings = home / "counterseal.toml"
    if verb == "refresh":
        assert here(home, "revoke", "alice", "--no-deploy").code == 0
        settings.unlink()
        ran = counterseal(home, "refresh", "--json")
    else:
        settings.write_text("")
        assert "would deploy a new generation and prove it\n" in here(home, "revoke", "alice", "--dry-run").stdout
        ran = counterseal(home, "revoke", "alice", "--json")
    assert ran.code == (3 if verb == "refresh" else 0), ran.stderr
    assert [one["code"] for one in json.loads(ran.stdout)["passed_over"]] == ["config.no_site"]
    assert [meets(home, port, name) for name in ("alice", "bob")] == [400, 200]
    again = counterseal(home, "refresh")
    assert (again.code, "error: no site is configured, and a generation of some is in force: " in again.stderr) == (
        2,
        True,
    )
    forget(home)
    held = counterseal(home, "revoke", "bob", "--json")
    error = json.loads(held.stdout)["error"]
    assert (held.code, error["code"], meets(home, port, "bob")) == (1, "revoke.not_in_force", 200)
    assert "no site is configured, and a generation of some is in force: " in error["message"]


@pytest.mark.nginx
def test_who_is_revoked_is_locked_out_of_a_site_that_an_older_program_took(deployed: tuple[Path, int]) -> None:
    """It read an empty list as a line that is not there: the file in force is refused as well, and goes on to be."""
    home, port = deployed
    settings = home / "counterseal.toml"
    text = f"{settings.read_text()}client_cas = []\nallow = {{ groups = [] }}\n"
    settings.write_text(text)
    (home / "nginx" / "current" / "counterseal.toml").write_text(text)
    for name in ("alice", "bob"):
        ran = counterseal(home, "revoke", name, "--json")
        assert ran.code == 0, ran.stderr
        told = [one["where"] for one in json.loads(ran.stdout)["passed_over"]]
        assert told == ["sites.panel.client_cas", "sites.panel.allow"]
        assert meets(home, port, name) == 400
    assert counterseal(home, "nginx", "deploy").code == 2


@pytest.mark.nginx
@pytest.mark.parametrize("wrong", ["tsl = 'modern'\n", None], ids=["faulty", "gone"])
def test_a_ca_is_retired_once_the_file_is_mended(deployed: tuple[Path, int], wrong: str | None) -> None:
    """Nothing is done before, because it lets in and locks nobody out; it is recorded alone where that is asked for."""
    home, port = deployed
    settings = home / "counterseal.toml"
    right = settings.read_text()
    words = ("ca", "retire", "clients", "--successor", "clients-2")
    assert here(home, "ca", "add", "clients-2", "--purpose", "client").code == 0
    settings.write_text("" if wrong is None else right + wrong)
    for more in ((), ("--dry-run",)):
        assert here(home, *words, *more).code == 2
        cas = json.loads(here(home, "ca", "list", "--json").stdout)["cas"]
        assert [one["state"] for one in cas if one["name"] == "clients"] == ["active"]
    assert here(home, *words, "--no-deploy").code == 0
    assert here(home, "client", "carol", "--no-p12", "--out", str(home.parent / "out")).code == 0
    assert [meets(home, port, name) for name in ("alice", "carol")] == [200, 400]
    settings.write_text(right)
    assert counterseal(home, "nginx", "deploy").code == 0
    assert [meets(home, port, name) for name in ("alice", "carol")] == [200, 200]


@pytest.mark.nginx
@pytest.mark.parametrize("verb", ["revoke", "refresh"])
def test_a_revocation_goes_to_the_nginx_that_serves(deployed: tuple[Path, int], verb: str) -> None:
    """A private one, while the file names one of the user's by now, which has nothing of ours yet."""
    home, port = deployed
    settings, conf = home / "counterseal.toml", home.parent / "mine.conf"
    line = f"include {home}/nginx/current/http.con[f];"
    conf.write_text(f"pid {home.parent}/mine.pid;\nerror_log {home.parent}/mine.log;\nevents {{}}\nhttp {{ {line} }}\n")
    settings.write_text(f"{settings.read_text()}[nginx]\nconfig = '{conf}'\n")
    if verb == "refresh":
        assert here(home, "revoke", "alice", "--no-deploy").code == 0
    ran = counterseal(home, *(("refresh",) if verb == "refresh" else ("revoke", "alice")), "--json")
    assert ran.code == (3 if verb == "refresh" else 0), ran.stderr
    document = json.loads(ran.stdout)
    assert ([one["code"] for one in document["passed_over"]], document["proved"]) == (["config.other_nginx"], True)
    assert "[nginx] config names another nginx than the generation in force: " in document["passed_over"][0]["message"]
    assert [meets(home, port, name) for name in ("alice", "bob")] == [400, 200]


@pytest.mark.nginx
def test_settings_in_force_that_are_refused_too_leave_it_as_it_is(deployed: tuple[Path, int]) -> None:
    """The nginx that they name is gone: what is wrong with those of today is told."""
    home, port = deployed
    settings, binary = home / "counterseal.toml", home / "my-nginx"
    right = settings.read_text()
    binary.symlink_to(find_nginx(None))
    settings.write_text(f"{right}[nginx]\nbinary = 'my-nginx'\n")
    ran = counterseal(home, "nginx", "deploy")
    assert ran.code == 0, ran.stderr
    binary.unlink()
    settings.write_text(f"{right}tsl = 'modern'\n")
    ran = counterseal(home, "revoke", "alice", "--json")
    error = json.loads(ran.stdout)["error"]
    assert (ran.code, error["code"], meets(home, port, "alice")) == (1, "revoke.not_in_force", 200)
    assert [one["where"] for one in error["findings"]] == ["sites.panel.tsl"]


@pytest.mark.nginx
def test_a_revocation_is_recorded_and_published_whatever_the_sites_say(deployed: tuple[Path, int]) -> None:
    """Where nobody knows what they said before it is told what nginx does; mended and refreshed, it refuses."""
    home, port = deployed
    settings = home / "counterseal.toml"
    right, entries = settings.read_text(), listed(home)
    forget(home)
    settings.write_text(f"{right}tsl = 'modern'\n")
    ran = counterseal(home, "revoke", "alice", "--json")
    assert ran.code == 1
    error = json.loads(ran.stdout)["error"]
    assert error["code"] == "revoke.not_in_force"
    assert error["message"].startswith("nginx still admits alice: ")
    assert [(one["where"], one["line"]) for one in error["findings"]] == [("sites.panel.tsl", 5)]
    assert meets(home, port, "alice") == 200
    assert json.loads(here(home, "show", "alice", "--json").stdout)["certificate"]["status"] == "revoked"
    assert listed(home) == entries + 1

    assert "in force, proved" in here(home, "nginx", "generations").stdout, "who looks needs no sites"
    assert here(home, "nginx", "stop").code == 0
    ran = counterseal(home, "revoke", "bob")
    assert ran.code == 1
    told = "nginx does not run, so nobody gets in; the generation that it would start with, 1, admits bob: "
    assert told in ran.stderr
    assert "line 5, sites.panel.tsl: unknown key: 'tsl'" in ran.stderr

    settings.write_text(right)
    ran = counterseal(home, "refresh")
    assert ran.code == 3, "what nobody has proved"
    assert ran.stdout == "generation 2 is in force when nginx starts, tested but not proved\n"
    assert "hint: start it: counterseal nginx deploy\n" in ran.stderr
    document = json.loads(here(home, "nginx", "status", "--json").stdout)
    assert (document["running"], document["next"]) == (False, "counterseal nginx deploy"), "stopped it stays"
    assert counterseal(home, "nginx", "deploy").code == 0
    assert [meets(home, port, name) for name in ("alice", "bob")] == [400, 400]
    assert [line.split()[3:6] for line in here(home, "nginx", "generations").stdout.splitlines()[1:]] == [
        ["proved", "deploy"],
        ["in", "force,", "proved"],
    ]


@pytest.mark.nginx
def test_a_revocation_does_not_wait_for_a_typo_in_ca(deployed: tuple[Path, int]) -> None:
    """It is published by the default lengths, deployed and proved; the fault is told, by a rehearsal too."""
    home, port = deployed
    settings = home / "counterseal.toml"
    right = settings.read_text()
    assert meets(home, port, "alice") == 200
    settings.write_text(f'{right}[ca]\ncrl_lifetime = "soon"\n')
    rehearsed = here(home, "revoke", "alice", "--dry-run")
    assert rehearsed.code == 1
    assert "would deploy a new generation and prove it\nwould fail: all of this is done; by what" in rehearsed.stdout
    assert meets(home, port, "alice") == 200

    ran = counterseal(home, "revoke", "alice", "--json")
    assert ran.code == 1
    error = json.loads(ran.stdout)["error"]
    assert error["code"] == "deploy.by_defaults"
    assert error["message"].startswith("in force and proved: generation 2, ")
    assert [(one["where"], one["line"]) for one in error["findings"]] == [("ca.crl_lifetime", 6)]
    assert [meets(home, port, name) for name in ("alice", "bob")] == [400, 200]
    with open_authority(home, lambda: None) as authority:
        times = authority.store.latest_crl_times("clients")
    assert times
    assert times.next_update - times.this_update == 7 * 86400

    (home / "counterseal.toml").write_text(f'{right}[ca]\ncrl_lifetime = "soon"\nroot_crl_lifetime = "90d"\n')
    assert here(home, "refresh").code == 1, "nothing is due, and that is no reason to keep silent"
    ran = here(home, "crl", "--out", str(home / "lists"), "--json")
    assert (ran.code, json.loads(ran.stdout)["error"]["code"]) == (1, "deploy.by_defaults")
    assert (home / "lists" / "clients.crl").exists()
    rehearsed = here(home, "refresh", "--dry-run")
    assert rehearsed.code == 1
    assert "would deploy a new generation and prove it\nwould fail: all of this is done; by what" in rehearsed.stdout
    ran = counterseal(home, "refresh")
    assert ran.code == 1
    assert "error: generation 3 is in force and proved; by what can be read of counterseal.toml" in ran.stderr
    assert "line 6, ca.crl_lifetime" in ran.stderr


@pytest.mark.nginx
def test_a_section_that_is_like_none_keeps_no_revocation_from_nginx(deployed: tuple[Path, int]) -> None:
    """Unless it may be a site: that nginx still admits is said then; mended and refreshed, it refuses."""
    home, port = deployed
    settings, entries = home / "counterseal.toml", listed(home)
    right = settings.read_text()
    settings.write_text(f"{right}[monitoring]\nx = 1\n")
    ran = counterseal(home, "revoke", "alice")
    assert ran.code == 1
    assert "error: in force and proved: generation 2, " in ran.stderr
    assert "line 5, monitoring: unknown key: 'monitoring'" in ran.stderr
    assert [meets(home, port, name) for name in ("alice", "bob")] == [400, 200]
    assert counterseal(home, "nginx", "deploy").code == 2, "what is no emergency waits until all is right"

    forget(home)
    settings.write_text(f"{right}[monitoring]\nroot = '/srv'\n")
    told = "as far as nginx runs, it still admits bob: "
    rehearsed = here(home, "revoke", "bob", "--dry-run")
    assert rehearsed.code == 1
    assert f"would leave nginx as it is and fail: {told}" in rehearsed.stdout
    ran = counterseal(home, "revoke", "bob")
    assert ran.code == 1
    assert f"error: {told}" in ran.stderr
    assert listed(home) > entries + 1
    assert meets(home, port, "bob") == 200

    settings.write_text(right)
    assert counterseal(home, "refresh").code == 0
    assert meets(home, port, "bob") == 400
