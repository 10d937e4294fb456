"""Renewing, rekeying, exporting and completing, as typed; read back with openssl and bash."""

from __future__ import annotations

import json
import os
import pwd
import shlex
import shutil
import subprocess
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from command import counterseal, here, write_secret
from counterseal.bundles.device_help import DEVICES
from counterseal.bundles.export import ExportFormat
from counterseal.bundles.pkcs12 import Strength
from counterseal.bundles.pkcs12_reader import load_pkcs12, read_protection
from programs import run_program

ENDS = (".chain.pem", ".cert.pem", "ca.pem")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with a home and a client certificate for alice, whose files are in ``out``."""
    place = tmp_path_factory.mktemp("made")
    assert here(place / "home", "init", "--no-passphrase").code == 0
    options = ("--group", "ops", "--email", "a@b.example", "--out", str(place / "out"))
    assert here(place / "home", "client", "alice", *options).code == 0
    return place


@pytest.fixture
def home(made: Path, tmp_path: Path) -> Path:
    """Return a home of the test's own, with the files of alice's certificate in ``out`` beside it."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return tmp_path / "home"


def _certificate(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def test_renew_keeps_the_key_and_rekey_makes_a_new_one(home: Path, tmp_path: Path) -> None:
    """Both say the same as the certificate before; a name that stands for two is then never guessed."""
    first = _certificate(tmp_path / "out" / "alice.cert.pem")
    assert counterseal(home, "renew", "alice", "--out", str(tmp_path / "renewed")).code == 0
    renewed = _certificate(tmp_path / "renewed" / "alice.cert.pem")
    assert (renewed.subject, renewed.public_key()) == (first.subject, first.public_key())
    assert renewed.serial_number != first.serial_number
    ambiguous = counterseal(home, "rekey", "alice", "--out", str(tmp_path / "rekeyed"))
    assert ambiguous.code == 2
    assert f"{first.serial_number:X}" in ambiguous.stderr
    serial = f"{first.serial_number:034X}"
    rekeyed = counterseal(home, "rekey", serial, "--revoke-old", "--out", str(tmp_path / "rekeyed"), "--json")
    assert rekeyed.code == 0, rekeyed.stderr
    fresh = _certificate(tmp_path / "rekeyed" / "alice.cert.pem")
    assert fresh.subject == first.subject
    assert fresh.public_key() != first.public_key()
    password = json.loads(rekeyed.stdout)["password"]
    (tmp_path / "password").write_text(password)
    pkcs12 = str(tmp_path / "rekeyed" / "alice.p12")
    run_program("openssl", "pkcs12", "-in", pkcs12, "-passin", f"file:{tmp_path}/password", "-noout", cwd=tmp_path)
    assert json.loads(counterseal(home, "show", serial, "--json").stdout)["certificate"]["status"] == "revoked"


@pytest.mark.parametrize(
    ("options", "rekeyed", "kind", "strength"),
    [
        ("--key p-384 --compatible", "", "P-384", Strength.COMPATIBLE),
        ("--key p-384 --compatible", "--modern --key p-256", "P-256", Strength.MODERN),
        ("--key rsa-2048", "", "(2048 bit", Strength.MODERN),
        ("--key ed25519 --no-p12", "", "ED25519", None),
        ("", "--no-p12", "P-256", None),
    ],
)
def test_rekey_keeps_the_kind_of_key_and_of_pkcs12(
    home: Path, tmp_path: Path, options: str, rekeyed: str, kind: str, strength: Strength | None
) -> None:
    """Unless it is told otherwise; openssl says what they are."""
    out = tmp_path / "bob"
    assert here(home, "client", "bob", *options.split(), "--out", str(out)).code == 0
    before = (out / "bob.p12").read_bytes() if (out / "bob.p12").exists() else None
    again = here(home, "rekey", "bob", *rekeyed.split(), "--out", str(out), "--force", "--json")
    assert again.code == 0, again.stderr
    assert kind in run_program("openssl", "pkey", "-in", str(out / "bob.key.pem"), "-noout", "-text", cwd=out)
    packed = (out / "bob.p12").read_bytes() if (out / "bob.p12").exists() else None
    assert ("password" in json.loads(again.stdout), packed != before) == (strength is not None, strength is not None)
    assert packed is None or strength is None or read_protection(packed).strength is strength


def test_rekey_leaves_no_pkcs12_of_the_key_before_unsaid(home: Path, tmp_path: Path) -> None:
    """One that lies there is made anew, also for a server; where none is wanted, it is said to be stale."""
    out = tmp_path / "panel"
    assert here(home, "server", "panel.example.com", "--out", str(out)).code == 0
    assert here(home, "export", "panel.example.com", "--out", str(out)).code == 0
    again = ("rekey", "panel.example.com", "--revoke-old", "--out", str(out), "--force")
    rekeyed = here(home, *again, "--json")
    assert rekeyed.code == 0, rekeyed.stderr
    packed = (out / "panel.example.com.p12").read_bytes()
    certificate = load_pkcs12(packed, json.loads(rekeyed.stdout)["password"].encode()).cert
    assert certificate is not None
    assert certificate.certificate == _certificate(out / "panel.example.com.cert.pem")
    told = here(home, *again, "--no-p12")
    assert (told.code, f"the key and the certificate before: {out}/panel.example.com.p12" in told.stderr) == (0, True)
    assert (out / "panel.example.com.p12").read_bytes() == packed


def test_rekey_takes_an_option_of_a_pkcs12_as_the_wish_for_one(home: Path, tmp_path: Path) -> None:
    """Where the key would get none by itself: a server's is packed, one that no browser takes is refused."""
    out = tmp_path / "made"
    assert here(home, "server", "panel.example.com", "--out", str(out)).code == 0
    assert here(home, "client", "pump", "--key", "ed25519", "--no-p12", "--out", str(out)).code == 0
    packed = here(home, "rekey", "panel.example.com", "--compatible", "--out", str(out), "--force")
    assert packed.code == 0, packed.stderr
    assert read_protection((out / "panel.example.com.p12").read_bytes()).strength is Strength.COMPATIBLE
    refused = here(home, "rekey", "pump", "--compatible", "--out", str(out), "--force")
    assert (refused.code, "--no-p12 for a program" in refused.stderr) == (4, True), refused.stderr


@pytest.mark.parametrize(
    ("words", "code", "host", "matches"),
    [
        ("server *.lan", "lint.wildcard", "nas.lan", False),
        ("server *.home.lan", None, "nas.home.lan", True),
        ("server *.home.arpa", "lint.wildcard", "nas.home.arpa", True),
        ("server nas.lan --key ed25519", "lint.server_key", "nas.lan", True),
        ("server nas.lan. --key p-384", None, "nas.lan", True),
    ],
)
def test_what_a_browser_will_not_take_is_remarked_on(
    home: Path, tmp_path: Path, words: str, code: str | None, host: str, *, matches: bool
) -> None:
    """For people and as data; of a wildcard before one label openssl says the same."""
    made = here(home, *words.split(), "--out", str(tmp_path / "made"), "--json")
    assert made.code == 0, made.stderr
    document = json.loads(made.stdout)
    assert [one["code"] for one in document["remarks"]] == ([code] if code else [])
    told = here(home, *words.split(), "--out", str(tmp_path / "made"), "--force")
    assert [line.partition(": ")[0] for line in told.stderr.splitlines()] == (["warning", "hint"] if code else [])
    chain, leaf, root = (next(one for one in document["files"] if one.endswith(end)) for end in ENDS)
    command = ["openssl", "verify", "-CAfile", root, "-untrusted", chain, "-verify_hostname", host, leaf]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (checked.returncode == 0, "hostname mismatch" in checked.stderr) == (matches, not matches), checked.stderr


def test_a_key_that_stays_is_in_nobody_s_way(home: Path, tmp_path: Path) -> None:
    """A certificate is signed, and renewed, beside the key it is for; other files are replaced on demand only."""
    out = tmp_path / "out"
    key, csr = str(out / "panel.key.pem"), str(out / "panel.csr")
    request = ("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=panel")
    run_program("openssl", *request, "-keyout", key, "-out", csr, cwd=tmp_path)
    before = Path(key).read_bytes()
    assert here(home, "sign", csr, "--profile", "server", "--out", str(out)).code == 0
    refused = here(home, "renew", "panel", "--out", str(out))
    assert (refused.code, f"file exists already: {out}/panel.cert.pem" in refused.stderr) == (1, True), refused.stderr
    assert here(home, "renew", "panel", "--out", str(out), "--force").code == 0
    assert Path(key).read_bytes() == before


def test_renew_replaces_the_pkcs12_that_it_finds(home: Path, tmp_path: Path) -> None:
    """With the key beside it, of the same strength, for a password that is shown; without the key it stops before."""
    out = tmp_path / "out"
    assert here(home, "export", "alice", "--compatible", "--out", str(out), "--force").code == 0
    renewed = here(home, "renew", "alice", "--out", str(out), "--force", "--json")
    assert renewed.code == 0, renewed.stderr
    password = json.loads(renewed.stdout)["password"].encode()
    packed = (out / "alice.p12").read_bytes()
    certificate = load_pkcs12(packed, password).cert
    assert certificate is not None
    assert certificate.certificate == _certificate(out / "alice.cert.pem")
    assert read_protection(packed).strength is Strength.COMPATIBLE
    (out / "alice.key.pem").unlink()
    serial = f"{certificate.certificate.serial_number:034X}"
    refused = here(home, "renew", serial, "--out", str(out), "--force")
    assert (refused.code, "no private key for the PKCS#12" in refused.stderr) == (2, True), refused.stderr
    assert load_pkcs12((out / "alice.p12").read_bytes(), password).key is not None


@pytest.mark.parametrize("kind", ["p12", "pem", "mobileconfig", "java", "kubernetes"])
def test_every_format_is_exported_where_the_key_is(home: Path, tmp_path: Path, kind: str) -> None:
    """Files are made; without the key it is said what is missing."""
    out = tmp_path / "exported"
    key = str(tmp_path / "out" / "alice.key.pem")
    made = here(home, "export", "alice", "--format", kind, "--key-file", key, "--out", str(out))
    assert made.code == 0, made.stderr
    assert any(out.iterdir())
    missing = here(home, "export", "alice", "--format", kind, "--out", str(tmp_path / "other"))
    assert missing.code == (0 if kind == "pem" else 1), missing.stderr
    assert (f"the format {kind}: {tmp_path}/other/alice.key.pem" in missing.stderr) == (kind != "pem")


def test_the_steps_for_a_device_are_printed(home: Path) -> None:
    """They name the file of this very certificate, asked for by name or by serial number; a name mistyped is told."""
    told = here(home, "export", "alice", "--help-device", "windows")
    assert told.code == 0
    assert "Double-click alice.p12" in told.stdout
    serial = json.loads(here(home, "show", "alice", "--json").stdout)["certificate"]["serial_number"]
    assert here(home, "export", serial, "--help-device", "windows").stdout == told.stdout
    unknown = here(home, "export", "alic", "--help-device", "windows")
    assert (unknown.code, "did you mean 'alice'?" in unknown.stderr) == (1, True), unknown.stderr


@pytest.mark.parametrize("command", ["export", "client"])
def test_the_devices_and_their_steps_are_told_without_a_certificate(tmp_path: Path, command: str) -> None:
    """Where there is no CA, too, as on the machine of whoever has only a file; nothing is made."""
    home = tmp_path / "none"
    listed = here(home, command, "--help-device")
    assert (listed.code, listed.stderr) == (0, "")
    assert [line.split("  ")[0] for line in listed.stdout.splitlines()[:-1]] == list(DEVICES)
    called = shlex.split(listed.stdout.splitlines()[-1].partition(": ")[2])
    told = here(home, *called[1:-1], "chrome-linux")
    assert "choose NAME.p12 and type the password" in " ".join(told.stdout.split())
    assert json.loads(here(home, command, "--json", "--help-device").stdout)["devices"][0]["device"] == "windows"
    mistyped = here(home, command, "--help-device", "firfox")
    assert (mistyped.code, "did you mean 'firefox'?" in mistyped.stderr) == (2, True), mistyped.stderr
    assert not home.exists()


@pytest.mark.parametrize("device", list(DEVICES))
def test_a_client_is_made_for_a_device_and_its_steps_are_the_end(home: Path, tmp_path: Path, device: str) -> None:
    """With the strength that it reads, under the names that the steps have; what it needs besides can be pasted."""
    out = tmp_path / "for it"
    made = here(home, "client", "my phone", "--help-device", device, "--out", str(out))
    assert made.code == 0, made.stderr
    issued, _, told = made.stdout.partition("\nnext: counterseal show 'my phone'\n\n")
    assert told.startswith(DEVICES[device].title)
    packed = next(out.glob("my_phone*.p12"))
    assert f"file     {packed}" in issued
    assert read_protection(packed.read_bytes()).strength is DEVICES[device].strength
    first = told.splitlines()[1]
    if DEVICES[device].export_format is ExportFormat.P12:
        assert first.startswith("1. ")
    else:
        following = shlex.split(" ".join(told.partition(": counterseal ")[2].partition("\n1. ")[0].split("\n   ")))
        assert here(home, *following).code == 0
    wanted = out / packed.with_suffix(f".{DEVICES[device].export_format}").name
    assert wanted.is_file()
    assert wanted.name in told


def test_steps_that_do_not_fit_are_refused_before_anything_is_made(home: Path, tmp_path: Path) -> None:
    """A client without its device, and a batch; where no PKCS#12 is made, the steps begin with making it."""
    out = tmp_path / "refused"
    bare = here(home, "client", "bob", "--out", str(out), "--help-device")
    assert (bare.code, "wants a device: windows, macos" in bare.stderr) == (2, True)
    (tmp_path / "rows.csv").write_text("name\nbob\n")
    batch = here(home, "client", "--batch", str(tmp_path / "rows.csv"), "--help-device", "ios", "--out", str(out))
    assert (batch.code, "--help-device is for one client" in batch.stderr) == (2, True)
    assert not out.exists()
    made = json.loads(
        here(home, "client", "bob", "--no-p12", "--help-device", "firefox", "--out", str(out), "--json").stdout
    )
    assert made["device"] == "firefox"
    assert made["steps"][0].endswith(f"counterseal export bob --format p12 --out {out}")


def test_refresh_says_that_nothing_is_due(home: Path) -> None:
    """Lists made a moment ago are not signed again."""
    assert here(home, "refresh").stdout.strip() == "nothing is due"


def test_systemd_takes_the_timer_units(home: Path, tmp_path: Path) -> None:
    """They call refresh on this home, by a program that can be run; systemd finds nothing wrong with them."""
    assert counterseal(home, "timer", "install", "--unit-dir", str(tmp_path)).code == 0
    service = (tmp_path / "counterseal-refresh.service").read_text()
    assert f"refresh --home {home}" in service
    command = shlex.split(service.partition("ExecStart=")[2].splitlines()[0])
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (ran.returncode, ran.stdout.strip()) == (0, "nothing is due"), ran.stderr
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze here")
    units = [str(tmp_path / f"counterseal-refresh.{kind}") for kind in ("service", "timer")]
    run_program("systemd-analyze", "verify", *units, cwd=tmp_path)


def test_timer_units_are_removed_again(home: Path, tmp_path: Path) -> None:
    """Both, and nothing else in the directory; a second time there is nothing to do."""
    units = tmp_path / "units"
    units.mkdir()
    (units / "nginx.service").touch()
    assert counterseal(home, "timer", "install", "--unit-dir", str(units)).code == 0
    rehearsed = counterseal(home, "timer", "remove", "--unit-dir", str(units), "--dry-run")
    assert f"would remove {units}/counterseal-refresh.timer" in rehearsed.stdout
    assert len(list(units.iterdir())) == 3
    assert counterseal(home, "timer", "remove", "--unit-dir", str(units)).code == 0
    assert [path.name for path in units.iterdir()] == ["nginx.service"]
    again = counterseal(home, "timer", "remove", "--unit-dir", str(units))
    assert (again.code, again.stdout.strip()) == (0, f"there is no timer in {units}")


def test_without_systemd_the_cron_line_is_printed(home: Path, tmp_path: Path) -> None:
    """And with encrypted keys and no passphrase file, that it would wait for somebody to type one."""
    if Path("/run/systemd/system").is_dir():
        pytest.skip("systemd runs here, and would be told to start the timer")
    told = counterseal(home, "timer", "install")
    me = pwd.getpwuid(os.geteuid()).pw_name
    assert told.stdout.splitlines()[-1].startswith(f"17 */6 * * * {me} ")
    assert "warning" not in told.stderr
    write_secret(tmp_path / "passphrase", "correct horse battery\n")
    locked = tmp_path / "locked"
    assert counterseal(locked, "init", "--passphrase-file", str(tmp_path / "passphrase")).code == 0
    assert "a timer can type no passphrase" in counterseal(locked, "timer", "print").stderr


def test_cron_calls_refresh_as_who_asked(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As root it would leave generations in the home that its owner, and his nginx, cannot read."""
    nobody = pwd.getpwnam("nobody")
    monkeypatch.setattr("os.geteuid", lambda: nobody.pw_uid)
    assert here(home, "timer", "print").stdout.startswith("17 */6 * * * nobody ")
    monkeypatch.setattr("os.geteuid", lambda: 4_000_000)
    refused = here(home, "timer", "print", "--json")
    assert (refused.code, json.loads(refused.stdout)["error"]["code"]) == (2, "timer.user")


def test_a_root_in_a_safe_has_a_list_that_lasts(home: Path) -> None:
    """Its list is given longer; once the key is away refresh goes on, and warns before the list ends."""
    (home / "counterseal.toml").write_text('[ca]\nroot_crl_lifetime = "180d"\n')
    told = {one["issuer"]: one for one in json.loads(here(home, "crl", "--json").stdout)["crls"]}
    lives = {
        name: datetime.fromisoformat(one["next_update"]) - datetime.fromisoformat(one["this_update"])
        for name, one in told.items()
    }
    assert lives == {"root": timedelta(days=180), "servers": timedelta(days=7), "clients": timedelta(days=7)}
    (home / "keys" / "root.key.pem").rename(home.parent / "safe")
    assert here(home, "refresh").code == 0
    (home.parent / "safe").rename(home / "keys" / "root.key.pem")
    (home / "counterseal.toml").write_text('[ca]\nroot_crl_lifetime = "2d"\n')
    assert here(home, "crl").code == 0
    (home / "keys" / "root.key.pem").rename(home.parent / "safe")
    warned = here(home, "refresh")
    assert (warned.code, "the list of CA root ends" in warned.stderr) == (3, True), warned.stderr


def test_what_certificates_will_not_name_is_said_before_the_first(tmp_path: Path) -> None:
    """Unless it was settled before the CA was made; the first one is right where what was said is done."""
    told, settled = tmp_path / "told", tmp_path / "settled"
    serving = '[serve]\nhttp_listen = "127.0.0.1:80"\nnames = ["pki.example.com"]\n'
    first = f"set http_listen and names under [serve] in {told / 'counterseal.toml'} first"
    assert first in said_at_init(told)
    (told / "counterseal.toml").write_text(serving)
    named = {
        "http://pki.example.com/crl/clients.crl",
        "http://pki.example.com/ca/clients.crt",
        "http://pki.example.com/ocsp/clients",
    }
    assert urls_in(told, "ann") == named
    settled.mkdir(mode=0o700)
    (settled / "counterseal.toml").write_text(serving)
    assert said_at_init(settled) == ""


def urls_in(home: Path, name: str) -> set[str]:
    """Make a client certificate, and return the URLs that it names."""
    made = counterseal(home, "client", name, "--no-p12", "--out", str(home / "out"))
    assert made.code == 0, made.stderr
    content = (home / "out" / f"{name}.cert.pem").read_bytes()
    extensions = x509.load_pem_x509_certificate(content).extensions
    access = extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    points = extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    return {one.access_location.value for one in access} | {
        one.value for point in points for one in point.full_name or ()
    }


def said_at_init(home: Path) -> str:
    """Make a CA there and return what was said beside the answer."""
    made = here(home, "init", "--no-passphrase")
    assert made.code == 0
    return made.stderr
