"""A warning is told on stderr in the same words whether the answer is text or JSON, and stdout is JSON alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from command import here, write_secret
from counterseal.protocols.api.wishes import EXAMPLE_CSR

if TYPE_CHECKING:
    from pathlib import Path

TOLD = ("warning: ", "note: ")
WAYS = ("in-text", "in-json")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with a home of which there is much to warn: a revoked CA, a key elsewhere, a stale file."""
    base = tmp_path_factory.mktemp("warnings")
    home, out = base / "home", str(base)
    write_secret(base / "word", "correct horse battery\n")
    for words in (
        ("init", "--no-passphrase"),
        *(("client", name, "--password-file", f"{base}/word", "--out", out) for name in ("ann", *WAYS)),
        ("ca", "add", "partners", "--purpose", "client", "--no-passphrase"),
        ("client", "pam", "--issuer", "partners", "--no-p12", "--out", out),
        ("ca", "revoke", "partners", "--yes", "--no-deploy"),
    ):
        ran = here(home, *words)
        assert ran.code == 0, (words, ran.stderr)
    (home / "keys" / "root.key.pem").rename(base / "root.key.pem")
    (base / "app.csr").write_text(EXAMPLE_CSR)
    chain = (base / "ann.fullchain.pem").read_text().split("-----END CERTIFICATE-----\n")
    (base / "turned.pem").write_text("-----END CERTIFICATE-----\n".join([chain[1], chain[0], ""]))
    (base / "cut.pem").write_text((base / "ann.fullchain.pem").read_text() + "-----BEGIN CERTIFICATE-----\n")
    (base / "other").mkdir()
    (base / "other" / "store.sqlite").write_text("no store")
    assert here(base / "sealed", "init", "--passphrase-file", str(base / "word")).code == 0
    return base


@pytest.mark.parametrize(
    ("home", "command"),
    [
        ("home", "sign {base}/app.csr --profile server --lifetime 1000d --name {way}.example.com --out {base}"),
        ("home", "crl"),
        ("home", "list"),
        ("home", "rekey {way} --no-p12 --force --out {base}"),
        ("home", "verify {base}/turned.pem --trust {base}/ann.fullchain.pem"),
        ("home", "verify {base}/ann.cert.pem --trust {base}/cut.pem"),
        ("home", "verify {base}/ann.cert.pem --fetch-crl"),
        ("other", "inspect {base}/ann.cert.pem"),
        ("sealed", "timer install --unit-dir {base}/units"),
    ],
)
def test_in_both_ways(base: Path, home: str, command: str) -> None:
    """Nothing is lost in either."""
    text, data = (
        here(base / home, *command.format(base=base, way=way).split(), *more)
        for way, more in zip(WAYS, ((), ("--json",)), strict=True)
    )
    assert told(text.stderr), text.stderr
    assert [line.replace("in-json", "in-text") for line in told(data.stderr)] == told(text.stderr)
    assert json.loads(data.stdout)


def told(stderr: str) -> list[str]:
    """Return the warnings."""
    return [line for line in stderr.splitlines() if line.startswith(TOLD)]


@pytest.mark.parametrize("more", [(), ("--json",), ("--dry-run",)], ids=["text", "json", "rehearsed"])
def test_what_names_no_list_is_said_before_it_is_made(tmp_path: Path, more: tuple[str, ...]) -> None:
    """The issuing CAs would be the first to name one, and once they are made it is too late for them."""
    home, other = tmp_path / "home", tmp_path / "other"
    hint = f"set http_listen and names under [serve] in {home / 'counterseal.toml'} first"
    assert hint in here(home, "init", "--no-passphrase", *more).stderr
    other.mkdir()
    (other / "counterseal.toml").write_text('[serve]\nhttp_url = "http://pki.example.com"\n')
    assert here(other, "init", "--no-passphrase", *more).stderr == ""
