"""What goes wrong while certificates are issued: with the real command, real disks, real deaths and another clock."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from command import Ran, counterseal, here, write_secret
from counterseal.store.sqlite import open_store
from disks import fill, remount, small_disk
from dying import die, freezing
from pki_fixtures import make_ca

if TYPE_CHECKING:
    from pathlib import Path

PASSPHRASE = "correct horse battery"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return a home with a CA whose keys lie open."""
    return make_home(tmp_path / "home")


def make_home(home: Path) -> Path:
    """Make a CA there."""
    made = here(home, "init", "--no-passphrase")
    assert made.code == 0, made.stderr
    return home


def listed(home: Path, *options: str) -> list[dict[str, Any]]:
    """Return what ``list`` shows but for the CAs themselves."""
    ran = here(home, "list", "--json", *options)
    assert ran.code == 0, ran.stderr
    rows: list[dict[str, Any]] = json.loads(ran.stdout)["certificates"]
    return [row for row in rows if row["profile"] != "ca"]


def assert_sound(home: Path) -> None:
    """Nothing is damaged, and the log of key uses has no gap."""
    assert here(home, "log", "verify").code == 0
    with open_store(home / "store.sqlite") as store:
        assert store.check().findings == ()


def at(when: str, home: Path, *words: str) -> Ran:
    """Run a command with its clock moved by ``when`` (``+6y``, ``-2h``)."""
    if shutil.which("faketime") is None:
        pytest.skip("no faketime here")
    command = ["faketime", "-f", when, sys.executable, "-m", "counterseal", *words, "--home", str(home)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=60)
    assert "Traceback" not in ran.stderr
    return Ran(ran.returncode, ran.stdout, ran.stderr)


# ------------------------------------------------------------------------------------------------------ passphrases


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (f"{PASSPHRASE}x\n", 1, "the passphrase does not open the key"),
        ("\n", 2, "empty first line"),
        (None, 1, "no passphrase was given"),
    ],
)
def test_a_wrong_passphrase_issues_nothing(tmp_path: Path, content: str | None, code: int, said: str) -> None:
    """Neither a file nor a row, and the passphrase is in no message."""
    right, wrong = tmp_path / "right", tmp_path / "wrong"
    write_secret(right, f"{PASSPHRASE}\n")
    assert counterseal(tmp_path / "home", "init", "--passphrase-file", str(right)).code == 0
    options = []
    if content is not None:
        write_secret(wrong, content)
        options = ["--passphrase-file", str(wrong)]
    ran = counterseal(tmp_path / "home", "client", "alice", "--out", str(tmp_path / "out"), *options)
    assert (ran.code, said in ran.stderr, PASSPHRASE in ran.stderr) == (code, True, False), ran.stderr
    assert listed(tmp_path / "home") == []
    assert list((tmp_path / "out").iterdir()) == []


def test_without_the_passphrase_nothing_is_revoked(tmp_path: Path) -> None:
    """A revocation that cannot be published is not recorded either: the next attempt is the first one."""
    write_secret(tmp_path / "right", f"{PASSPHRASE}\n")
    right = ("--passphrase-file", str(tmp_path / "right"))
    home = tmp_path / "home"
    assert counterseal(home, "init", *right).code == 0
    assert counterseal(home, "client", "alice", "--no-p12", "--out", str(tmp_path / "out"), *right).code == 0
    assert counterseal(home, "revoke", "alice").code == 1
    assert [row["status"] for row in listed(home)] == ["valid"]
    assert counterseal(home, "revoke", "alice", *right).code == 0


# ------------------------------------------------------------------------------------------------ what is asked for


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("server", "a" * 64 + ".example"), 2, "at most 63"),
        (("server", ""), 2, "empty"),
        (("server", "a\tb.example"), 2, "a\\tb"),
        (("server", "a_b.example"), 2, "a_b"),
        (("server", "*.*.example.com"), 2, "*"),
        (("server", "a.example", "--san", "a,URI:spiffe://x/y"), 2, "a,URI"),
        (("server", "a.example", "--san", "email:a@b.example"), 4, "email"),
        (("server", "a.example", "--lifetime", "6y"), 4, "outlive"),
        (("server", "a.example", "--lifetime", "0d"), 4, "shorter than a second"),
        (("server", "a.example", "--lifetime", "soon"), 2, "soon"),
        (("server", "a.example", "--key", "rsa-1024"), 2, "rsa-1024"),
        (("server", "a.example", "--issuer", "clients"), 4, "is for client certificates"),
        (("client", "x" * 65), 2, "64"),
        (("client", "al\nice"), 2, "al\\nice"),
        (("client", "alice", "--group", "counterseal-probe"), 4, "counterseal-probe"),
        (("client", "alice", "--uri", "spiffe://a,URI:b"), 2, "URI"),
        (("client", "alice", "--key", "ed25519"), 4, "cannot be imported by Firefox"),
        (("client", "alice", "--subject", "nonsense"), 2, "nonsense"),
    ],
)
def test_what_cannot_be_issued_leaves_nothing(
    home: Path, tmp_path: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    """The offending value is named, the exit code says whose fault it is, and neither file nor row is made."""
    ran = counterseal(home, *words, "--out", str(tmp_path / "out"))
    assert ran.code == code, ran.stderr
    assert said in ran.stderr
    assert listed(home) == []
    assert not (tmp_path / "out").exists() or list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("-newkey", "rsa:1024"), "1024"),
        (("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp256k1"), "secp256k1"),
        (("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-addext", "subjectAltName=DNS:a*.example"), "a*"),
        (
            (
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-addext",
                "subjectAltName=otherName:1.2.3;UTF8:x",
            ),
            "other:1.2.3",
        ),
    ],
)
def test_a_csr_that_no_profile_takes_is_refused(
    home: Path, tmp_path: Path, options: tuple[str, ...], said: str
) -> None:
    """As openssl makes them."""
    csr = tmp_path / "x.csr"
    files = ["-keyout", str(tmp_path / "x.key"), "-out", str(csr), "-subj", "/CN=a.example", "-nodes"]
    subprocess.run(["openssl", "req", "-new", *options, *files], check=True, capture_output=True)
    ran = counterseal(home, "sign", str(csr), "--profile", "server", "--out", str(tmp_path / "out"))
    assert ran.code in {2, 4}, ran.stderr
    assert said.lower() in ran.stderr.lower()
    assert listed(home) == []


def test_a_csr_whose_signature_is_not_its_own_is_refused(home: Path, tmp_path: Path) -> None:
    """One octet of the name is changed after signing: nobody has shown that he holds the key."""
    csr = tmp_path / "x.csr"
    command = ["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    command += ["-keyout", str(tmp_path / "x.key"), "-out", str(csr), "-subj", "/CN=a.example", "-outform", "DER"]
    subprocess.run(command, check=True, capture_output=True)
    csr.write_bytes(csr.read_bytes().replace(b"a.example", b"b.example"))
    ran = counterseal(home, "sign", str(csr), "--profile", "server", "--out", str(tmp_path / "out"))
    assert (ran.code, "signature" in ran.stderr) == (2, True), ran.stderr
    assert listed(home) == []


# ------------------------------------------------------------------------------------------------------- the clock


@pytest.mark.parametrize(("when", "said"), [("+6y", "add a new one: counterseal ca add"), ("+11y", "make a new CA")])
def test_an_expired_ca_issues_nothing(home: Path, tmp_path: Path, when: str, said: str) -> None:
    """First the issuing CA ends, then the root; what can be done about it is said."""
    ran = at(when, home, "server", "a.example", "--out", str(tmp_path / "out"))
    assert (ran.code, "CA expired on" in ran.stderr, said in ran.stderr) == (4, True, True), ran.stderr
    assert listed(home) == []


def test_a_ca_of_tomorrow_issues_nothing_today(tmp_path: Path) -> None:
    """A CA made elsewhere whose time has not come is not even taken over: its lists would be of a time before it."""
    ca = make_ca("Tomorrow's Root", created=datetime.now(UTC) + timedelta(days=1))
    key = ca.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "ca.pem").write_bytes(ca.certificate.public_bytes(Encoding.PEM))
    (tmp_path / "ca.key").write_bytes(key)
    files = ["--certificate", str(tmp_path / "ca.pem"), "--key", str(tmp_path / "ca.key")]
    ran = counterseal(tmp_path / "home", "import-ca", *files, "--no-passphrase")
    assert (ran.code, "CA is not valid before" in ran.stderr) == (4, True), ran.stderr
    assert not (tmp_path / "home").exists()


def test_a_clock_set_back_signs_nothing(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking goes on; signing waits until the clock is right, or somebody says that it is."""
    words = ("client", "alice", "--no-p12", "--out", str(tmp_path / "out"))
    assert at("+2h", home, "crl").code == 0
    for signing in (words, ("crl",)):
        ran = counterseal(home, *signing)
        assert (ran.code, "the clock says" in ran.stderr) == (4, True), ran.stderr
    assert listed(home) == []
    monkeypatch.setenv("COUNTERSEAL_ACCEPT_CLOCK", "1")
    assert counterseal(home, *words).code == 0
    monkeypatch.delenv("COUNTERSEAL_ACCEPT_CLOCK")
    assert counterseal(home, "crl").code == 0
    assert_sound(home)


# ------------------------------------------------------------------------------------------------------- the store


@pytest.mark.parametrize("damage", ["head", "pages", "cut", "text"])
def test_a_damaged_store_is_left_as_it_is(home: Path, tmp_path: Path, damage: str) -> None:
    """Every command says so by name; not an octet of the file changes."""
    path = home / "store.sqlite"
    content = path.read_bytes()
    path.write_bytes(
        {
            "head": b"garbage" + content[7:],
            "pages": content[:8192] + os.urandom(8 * 4096) + content[8192 + 8 * 4096 :],
            "cut": content[: len(content) // 2],
            "text": b"this was a note\n",
        }[damage]
    )
    before = path.read_bytes()
    for words in (("client", "alice", "--out", str(tmp_path / "out")), ("list",), ("revoke", "alice"), ("crl",)):
        ran = counterseal(home, *words)
        assert (ran.code, "damaged" in ran.stderr) == (1, True), ran.stderr
    assert path.read_bytes() == before
    assert not list((tmp_path / "out").glob("*"))


def test_eight_at_once_lose_nothing_and_repeat_nothing(home: Path, tmp_path: Path) -> None:
    """Eight commands start in the same moment; each gets its certificate, and the log has all of them."""
    client = [sys.executable, "-m", "counterseal", "client", "--no-p12"]
    processes = [
        subprocess.Popen(
            [*client, f"device-{number}", "--home", str(home), "--out", str(tmp_path / "out")],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        for number in range(8)
    ]
    told = [process.communicate(timeout=60)[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * 8, told
    rows = listed(home)
    assert sorted(row["name"] for row in rows) == [f"device-{number}" for number in range(8)]
    assert len({row["serial_number"] for row in rows}) == 8
    for row in rows:
        certificate = x509.load_pem_x509_certificate((tmp_path / "out" / f"{row['name']}.cert.pem").read_bytes())
        assert f"{certificate.serial_number:034X}" == row["serial_number"]
    assert_sound(home)


# ------------------------------------------------------------------------------------------------------- kill -9


@pytest.mark.parametrize(
    ("where", "number", "rows"),
    [
        ("counterseal.store.issuance:Issuance.reserve_many", 1, 0),
        ("counterseal.keystore.software:SoftwareSigner.sign", 1, 0),
        ("counterseal.store.issuance:Issuance.record_many", 1, 0),
        ("counterseal.cli.issuing:write_fileset", 1, 1),
        ("counterseal.files:_put", 1, 1),
        ("counterseal.files:_put", 3, 1),
    ],
    ids=["before reserve", "before sign", "before store", "before files", "first file", "third file"],
)
def test_killed_while_issuing(home: Path, tmp_path: Path, where: str, number: int, rows: int) -> None:
    """What was not stored never leaves; a file that is there is whole; and the next command just works."""
    die(home, where, number, "client", "alice", "--no-p12", "--out", str(tmp_path / "out"))
    assert len(listed(home)) == rows
    left = json.loads(counterseal(home, "list", "--status", "reserved", "--json").stdout)["certificates"]
    assert [(one["name"], one["not_after"]) for one in left] == [("alice", None)] * (
        ".reserve" not in where and not rows
    )
    found = [path for path in (tmp_path / "out").glob("*") if not path.name.endswith(".tmp")]
    assert not found or rows
    for path in found:
        assert path.read_bytes().rstrip().endswith((b"-----END CERTIFICATE-----", b"-----END PRIVATE KEY-----"))
    assert_sound(home)
    again = counterseal(home, "client", "alice", "--no-p12", "--out", str(tmp_path / "out"), "--force")
    assert again.code == 0, again.stderr
    assert len(listed(home)) == rows + 1


@pytest.mark.parametrize(
    ("where", "number", "left"),
    [
        ("counterseal.store.issuance:Issuance.reserve_block", 1, 0),
        ("counterseal.keystore.software:SoftwareSigner.sign", 2, 3),
        ("counterseal.store.issuance:Issuance.record_block", 1, 3),
    ],
    ids=["before reserve", "before sign", "before store"],
)
def test_a_batch_killed_leaves_its_numbers_reserved(
    home: Path, tmp_path: Path, where: str, number: int, left: int
) -> None:
    """Each is told with its name, and stays so when the same command issues them all under other numbers."""
    (tmp_path / "rows.csv").write_text("name\nann\nbob\ncyd\n")
    words = ("client", "--batch", str(tmp_path / "rows.csv"), "--no-p12", "--archive", str(tmp_path / "all.tar"))
    die(home, where, number, *words)
    assert listed(home) == []
    names = [one["name"] for one in listed(home, "--status", "reserved")]
    assert sorted(names) == ["ann", "bob", "cyd"][:left]
    again = counterseal(home, *words)
    assert again.code == 0, again.stderr
    assert sorted(one["name"] for one in listed(home)) == ["ann", "bob", "cyd"]
    reserved = listed(home, "--status", "reserved")
    assert len(reserved) == left
    assert not {one["serial_number"] for one in reserved} & {one["serial_number"] for one in listed(home)}
    assert_sound(home)


@pytest.mark.parametrize(
    ("where", "number", "has_root"),
    [
        ("counterseal.store.connection:is_ours", 1, False),  # the file of the store is there, and empty
        ("counterseal.store.connection:migrate", 1, False),
        *(("counterseal.keystore.software:SoftwareSigner.sign", number, number > 1) for number in (1, 2, 3, 4)),
    ],
)
def test_killed_while_the_ca_is_made(tmp_path: Path, where: str, number: int, *, has_root: bool) -> None:
    """Either there is a CA that can be completed, or the next init says what to remove; then it goes through."""
    home = tmp_path / "a home"
    die(home, where, number, "init", "--no-passphrase")
    again = counterseal(home, "init", "--no-passphrase")
    if has_root:
        assert (again.code, "there is a CA already" in again.stderr) == (2, True), again.stderr
        cas = {row["name"] for row in json.loads(counterseal(home, "ca", "list", "--json").stdout)["cas"]}
        for name, purpose in (("servers", "server"), ("clients", "client")):
            if name not in cas:
                added = counterseal(home, "ca", "add", name, "--purpose", purpose)
                assert added.code == 0, added.stderr
    else:
        assert (again.code, "was interrupted here" in again.stderr) == (1, True), again.stderr
        told = again.stderr.partition("then run this again: ")[2].splitlines()[0]
        subprocess.run(["sh", "-e", "-c", told], check=True)
        make_home(home)
    for words in (("server", "a.example"), ("client", "alice", "--no-p12")):
        assert counterseal(home, *words, "--out", str(tmp_path / "out")).code == 0
    assert_sound(home)


@pytest.mark.parametrize(
    ("frozen", "words", "first"),
    [
        ("counterseal.nginx.generations:make_passable", ("init", "--no-passphrase"), "init"),
        ("counterseal.nginx.generations:make_passable", ("init", "--no-passphrase"), "restore"),
        ("counterseal.keystore.file:alone_in", ("ca", "add", "ops", "--purpose", "client"), "ca add"),
    ],
)
def test_who_comes_second_removes_nothing_of_the_first(
    tmp_path: Path, frozen: str, words: tuple[str, ...], first: str
) -> None:
    """Two make the same CA at once: what the one that is refused made is removed, and no key of the other."""
    home, secret = tmp_path / "home", ("--passphrase-file", write_secret(tmp_path / "secret", "a horse battery\n"))
    other = make_home(home if first == "ca add" else tmp_path / "other")
    with freezing(home, frozen, *words) as second:
        if first == "restore":
            assert counterseal(other, "backup", str(tmp_path / "backup"), *secret).code == 0
            assert counterseal(home, "restore", str(tmp_path / "backup"), *secret).code == 0
        else:
            assert counterseal(home, *words).code == 0
        second.send_signal(signal.SIGCONT)
        _, told = second.communicate(timeout=60)
    assert (second.returncode, "already" in told) == (2, True), told
    issuer = ("--issuer", "ops") if first == "ca add" else ()
    issued = counterseal(home, "client", "alice", *issuer, "--no-p12", "--out", str(tmp_path / "out"))
    assert issued.code == 0, issued.stderr
    assert_sound(home)


# ------------------------------------------------------------------------------------------------------- disks


def test_the_disk_of_the_store_is_full(tmp_path: Path) -> None:
    """Nothing leaves, nothing is damaged, and with space again the same command goes through."""
    with small_disk(tmp_path / "disk") as disk:
        home = make_home(disk / "home")
        filler = fill(disk)
        ran = counterseal(home, "client", "alice", "--no-p12", "--out", str(tmp_path / "out"))
        assert ran.code == 1
        assert "full" in ran.stderr or "free space" in ran.stderr
        assert not list((tmp_path / "out").glob("*"))
        filler.unlink()
        assert listed(home) == []
        assert counterseal(home, "client", "alice", "--no-p12", "--out", str(tmp_path / "out")).code == 0
        assert_sound(home)


@pytest.mark.parametrize("words", [("client", "alice"), ("server", "a.example")])
@pytest.mark.parametrize("leave", [0, 6000])
def test_the_disk_of_the_files_is_full(home: Path, tmp_path: Path, words: tuple[str, ...], leave: int) -> None:
    """A certificate whose files cannot be kept is revoked at once; old files stay, also half way."""
    with small_disk(tmp_path / "disk") as disk:
        stem = words[1]
        assert counterseal(home, *words, "--out", str(disk)).code == 0
        before = {path.name: path.read_bytes() for path in disk.iterdir()}
        filler = fill(disk, leave=leave)
        ran = counterseal(home, *words, "--out", str(disk), "--force")
        assert (ran.code, "was revoked again" in ran.stderr) == (1, True), ran.stderr
        assert "no space left" in ran.stderr
        assert {path.name: path.read_bytes() for path in disk.iterdir() if path != filler} == before
        assert [row["status"] for row in listed(home, "--name", stem)].count("valid") == 1
    assert_sound(home)


def test_files_that_cannot_be_replaced_together_stay_as_they_are(home: Path, tmp_path: Path) -> None:
    """The key that is there has no other copy; a directory is in the way of a file that comes after it."""
    out = tmp_path / "out"
    issuing = ("client", "alice", "--no-p12", "--out", str(out))
    assert counterseal(home, *issuing).code == 0
    (out / "alice.fullchain.pem").unlink()
    (out / "alice.fullchain.pem").mkdir()
    before = {path.name: path.read_bytes() for path in out.iterdir() if path.is_file()}
    ran = counterseal(home, *issuing, "--force")
    assert (ran.code, "alice.fullchain.pem: is a directory" in ran.stderr) == (1, True), ran.stderr
    assert {path.name: path.read_bytes() for path in out.iterdir() if path.is_file()} == before
    assert [row["status"] for row in listed(home, "--name", "alice")].count("valid") == 1


def test_a_ca_cannot_be_made_on_a_full_disk(tmp_path: Path) -> None:
    """It says so and leaves nothing; with space again it is made."""
    with small_disk(tmp_path / "disk") as disk:
        filler = fill(disk, leave=40_000)
        ran = counterseal(disk / "home", "init", "--no-passphrase")
        assert ran.code == 1
        assert "full" in ran.stderr or "no space left" in ran.stderr
        assert [path for path in disk.rglob("*") if path.is_file()] == [filler]
        filler.unlink()
        make_home(disk / "home")


def test_a_read_only_disk(home: Path, tmp_path: Path) -> None:
    """For the files: refused before anything is issued. For the store: refused by name."""
    with small_disk(tmp_path / "disk") as disk:
        own = make_home(disk / "home")
        remount(disk, writable=False)
        ran = counterseal(home, "client", "alice", "--out", str(disk))
        assert (ran.code, f"cannot write into {disk}" in ran.stderr) == (1, True), ran.stderr
        assert listed(home) == []
        ran = counterseal(own, "client", "alice", "--no-p12", "--out", str(tmp_path / "out"))
        assert (ran.code, "read-only" in ran.stderr) == (1, True), ran.stderr
        ran = counterseal(disk / "other", "init", "--no-passphrase")
        assert (ran.code, "read-only" in ran.stderr) == (1, True), ran.stderr
        assert not list((tmp_path / "out").glob("*"))
        remount(disk, writable=True)
        assert counterseal(own, "client", "alice", "--no-p12", "--out", str(tmp_path / "out")).code == 0


def test_a_directory_of_somebody_else(home: Path, tmp_path: Path) -> None:
    """Without the right to write there, nothing is issued; root has every right, so it gives that up here."""
    theirs = tmp_path / "theirs"
    theirs.mkdir(mode=0o500)
    give_up = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    command = [*give_up, sys.executable, "-m", "counterseal", "client", "alice", "--home", str(home)]
    ran = subprocess.run([*command, "--out", str(theirs)], capture_output=True, text=True, check=False, timeout=60)
    assert (ran.returncode, "permission denied" in ran.stderr) == (1, True), ran.stderr
    assert listed(home) == []
