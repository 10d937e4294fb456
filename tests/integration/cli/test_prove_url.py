"""Proving a server by its URL: one of ours, one that a stranger looks at, one that is not as it is meant."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Any

import pytest

from command import counterseal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.nginx

SITE = """\
[sites.{name}]
server_names = ["{server_name}"]
listen = ["127.0.0.1:{port}"]
client_certificates = "{mode}"
upstream = "127.0.0.1:1"
{more}
"""
STRICT = {"no-certificate", "good", "expired", "foreign", "server-purpose", "revoked", "other-client-ca", "no-sni"}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[str, str]]]:
    """Return a home and the URLs of its sites, each alone on its port, for ``localhost`` resolves everywhere.

    ``open`` asks nobody for a certificate; it has a CA and an nginx of its own beside that home.
    """
    place = tmp_path_factory.mktemp("served")
    strict = (
        ("panel", "required", ""),
        ("listed", "required", 'allow = { groups = ["ops"] }'),
        ("half", "optional", ""),
    )
    urls = serve(place / "home", strict) | serve(place / "open", (("open", "none", ""),))
    yield place / "home", urls
    for home in (place / "home", place / "open"):
        counterseal(home, "nginx", "stop")


def serve(home: Path, sites: tuple[tuple[str, str, str], ...]) -> dict[str, str]:
    """Make a CA with two client CAs, deploy the sites (name, mode, more), and return their URLs."""
    assert counterseal(home, "init", "--no-passphrase").code == 0
    assert counterseal(home, "ca", "add", "partners", "--purpose", "client").code == 0
    urls, text = {}, ""
    for name, mode, more in sites:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        text += SITE.format(name=name, server_name="localhost", port=port, mode=mode, more=more)
        urls[name] = f"https://localhost:{port}/"
    (home / "counterseal.toml").write_text(text)
    deployed = counterseal(home, "nginx", "deploy")
    assert deployed.code == 0, deployed.stderr
    return urls


def rows_of(stdout: str, result: str) -> set[str]:
    """Return the kinds of rows with that result."""
    rows: list[dict[str, Any]] = json.loads(stdout)["proofs"][0]["rows"]
    return {row["kind"] for row in rows if row["result"] == result}


@pytest.mark.parametrize(
    ("site", "kinds"),
    [("panel", STRICT), ("listed", STRICT), ("half", STRICT), ("open", {"no-certificate", "good"})],
)
def test_a_server_of_ours_is_known_by_the_cas_it_names(
    served: tuple[Path, dict[str, str]], site: str, kinds: set[str]
) -> None:
    """Probes are issued for it, an allow list is seen from its page, and its certificate is held against our root."""
    home, urls = served
    ran = counterseal(home.parent / "open" if site == "open" else home, "prove", urls[site], "--json")
    assert ran.code == 0, ran.stdout
    assert kinds | {"server"} <= rows_of(ran.stdout, "passed") | ({"good"} if site == "open" else set())


def test_a_stranger_proves_with_what_he_has(served: tuple[Path, dict[str, str]], tmp_path: Path) -> None:
    """Without a CA: nobody and a foreign certificate are refused, his own is admitted, the rest is skipped."""
    home, urls = served
    nowhere, out = tmp_path / "nowhere", tmp_path / "out"
    assert counterseal(home, "client", "guest", "--no-p12", "--out", str(out)).code == 0
    alone = counterseal(nowhere, "prove", urls["panel"], "--trust", str(out / "ca.pem"), "--json")
    assert alone.code == 0, alone.stdout
    assert {"server", "no-certificate", "foreign"} <= rows_of(alone.stdout, "passed")
    assert "good" in rows_of(alone.stdout, "skipped")
    own = ["--cert", str(out / "guest.fullchain.pem"), "--key", str(out / "guest.key.pem")]
    guest = counterseal(nowhere, "prove", urls["panel"], *own, "--trust", str(out / "ca.pem"), "--json")
    assert guest.code == 0, guest.stdout
    assert "good" in rows_of(guest.stdout, "passed")
    assert not nowhere.exists()


def test_what_is_not_as_meant_fails(served: tuple[Path, dict[str, str]]) -> None:
    """A server that should require certificates and does not; one that the system does not trust."""
    home, urls = served
    meant = counterseal(home, "prove", urls["half"], "--client-certificates", "required", "--json")
    assert meant.code == 3
    assert "no-certificate" in rows_of(meant.stdout, "failed")
    untrusted = counterseal(home / "nowhere", "prove", urls["open"], "--json")
    assert untrusted.code == 3
    assert rows_of(untrusted.stdout, "failed") == {"server"}


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("http://localhost/",), 2, "not the URL of an https server"),
        (("panle",), 1, "did you mean 'panel'?"),
        (("panel", "--client-ca", "clients"), 2, "these options are for a URL"),
        (("https://localhost:1/",), 3, "nothing listens there"),
        (
            ("https://nowhere.invalid/",),
            3,
            "stapled OCSP response, plain HTTP on the TLS port\n  cause: no resolver knows",
        ),
        (("https://localhost:1/", "--key", "x.pem"), 2, "--key needs the certificate it belongs to: x.pem"),
        (
            ("https://localhost:1/", "--client-ca", "nobody", "--client-certificates", "required"),
            1,
            "no CA of that name",
        ),
    ],
)
def test_what_cannot_be_proved_is_said(
    served: tuple[Path, dict[str, str]], words: tuple[str, ...], code: int, said: str
) -> None:
    """The offending value, and what to do."""
    ran = counterseal(served[0], "prove", *words)
    assert ran.code == code, ran.stderr
    assert said in ran.stderr + ran.stdout
