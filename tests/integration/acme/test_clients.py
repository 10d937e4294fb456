"""The clients that people have: issue, renew, revoke, change the key, bind an account, answer every challenge."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography import x509

from command import counterseal
from counterseal.pki.extensions import must_staple
from integration.acme.conftest import Lab, start_lab, verify
from ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 90
HOOK = """#!/bin/sh
# What certbot, lego (exec) and dehydrated call, each in its own way, to publish a TXT record.
set -eu
if [ -n "${{CERTBOT_DOMAIN:-}}" ]; then
    echo "$CERTBOT_VALIDATION" >>"{records}/_acme-challenge.$CERTBOT_DOMAIN"
elif [ "$1" = present ]; then
    echo "$3" >>"{records}/$(echo "$2" | sed 's/[.]$//')"
elif [ "$1" = deploy_challenge ]; then
    echo "$4" >>"{records}/_acme-challenge.$2"
fi
"""


@dataclass
class Desk:
    """A directory to work in, beside a server that leaves the port of http-01 to the clients."""

    lab: Lab
    port: int
    path: Path

    def run(self, *command: str, code: int = 0, **environment: str) -> str:
        """Run a client that trusts the CA's root, and return what it said."""
        root = str(self.lab.service.root)
        trust = {
            "REQUESTS_CA_BUNDLE": root,
            "LEGO_CA_CERTIFICATES": root,
            "SSL_CERT_FILE": root,
            "CURL_CA_BUNDLE": root,
        }
        done = subprocess.run(
            command,
            cwd=self.path,
            env={**os.environ, "HOME": str(self.path), "LC_ALL": "C.UTF-8", **trust, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == code, f"{' '.join(command)}\n{done.stdout}\n{self.lab.service.lines[-8:]}"
        return done.stdout

    def hook(self) -> str:
        """Write the hook that publishes TXT records, and return its path."""
        records = self.path / "records"
        records.mkdir(exist_ok=True)
        self.lab.dns.directory = records
        path = self.path / "hook.sh"
        path.write_text(HOOK.format(records=records))
        path.chmod(0o700)
        return str(path)

    def external_key(self, *options: str) -> tuple[str, str]:
        """Make a key for external account binding and return its id and MAC key."""
        made = json.loads(counterseal(self.lab.service.home, "acme", "eab", "add", "test", "--json", *options).stdout)
        return made["external_key"]["id"], made["hmac_key"]

    def statuses(self, name: str) -> list[str]:
        """Return the statuses of the certificates that the store has under this name."""
        listed = json.loads(counterseal(self.lab.service.home, "list", "--name", name, "--json").stdout)
        return sorted(one["status"] for one in listed["certificates"] if one["name"] == name)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Lab, int]]:
    """Return the server that asks for an external account binding, and the port of http-01."""
    with ExitStack() as stack:
        port = free_port()
        home = tmp_path_factory.mktemp("clients") / "home"
        more = 'external_account_required = true\n[serve]\nhttp_url = "http://pki.example.com"'
        yield start_lab(stack, home, more, http_port=port), port


@pytest.fixture
def desk(shared: tuple[Lab, int], tmp_path: Path) -> Desk:
    """Return a place for one client."""
    return Desk(*shared, tmp_path)


@contextmanager
def web_root(desk: Desk) -> Iterator[Path]:
    """Serve a directory on the port of http-01, as the web server of a host does; yield where the tokens go."""
    well_known = desk.path / "www" / ".well-known" / "acme-challenge"
    well_known.mkdir(parents=True)
    serve = [
        "python3",
        "-m",
        "http.server",
        str(desk.port),
        "--bind",
        "127.0.0.1",
        "--directory",
        str(desk.path / "www"),
    ]
    process = subprocess.Popen(serve, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield well_known
    finally:
        process.terminate()
        process.wait(SECONDS)


def names_of(chain: Path) -> list[str]:
    """Return the DNS names of the first certificate of a file."""
    certificate = x509.load_pem_x509_certificate(chain.read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return sorted(names.get_values_for_type(x509.DNSName))


def demands_stapling(chain: Path) -> bool:
    """Whether the first certificate of a file is one whose server must staple."""
    return must_staple(x509.load_pem_x509_certificate(chain.read_bytes()).extensions)


def test_certbot(desk: Desk) -> None:
    """http-01 by its own server, dns-01 for a wildcard by a hook, renewal, revocation, account."""
    kid, mac_key = desk.external_key()
    places = [f"--{kind}-dir={desk.path / kind}" for kind in ("config", "work", "logs")]
    certbot = ["certbot", "-n", "--server", desk.lab.directory, *places]
    bound = ["--eab-kid", kid, "--eab-hmac-key", mac_key]
    desk.run(*certbot, "register", "--agree-tos", "-m", "ops@example.com", *bound)
    web = ["--standalone", "--http-01-port", str(desk.port)]
    desk.run(*certbot, "certonly", *web, "--must-staple", "-d", "bot.example.com", "-d", "www.bot.example.com")
    live = desk.path / "config" / "live" / "bot.example.com"
    assert names_of(live / "fullchain.pem") == ["bot.example.com", "www.bot.example.com"]
    verify(desk.lab.service, live / "fullchain.pem")
    desk.run(*certbot, "renew", "--force-renewal", "--no-random-sleep-on-renew")
    assert demands_stapling(live / "cert.pem")
    assert desk.statuses("bot.example.com") == ["valid", "valid"]
    manual = ["--manual", "--preferred-challenges", "dns", "--manual-auth-hook", desk.hook()]
    desk.run(*certbot, "certonly", *manual, "-d", "*.bot.example.com", "-d", "bot.example.com", "--cert-name", "wild")
    wild = desk.path / "config" / "live" / "wild" / "cert.pem"
    assert (names_of(wild), demands_stapling(wild)) == (["*.bot.example.com", "bot.example.com"], False)
    revoke = ["revoke", "--reason", "superseded", "--no-delete-after-revoke"]
    desk.run(*certbot, *revoke, "--cert-name", "bot.example.com")
    assert "revoked" in desk.statuses("bot.example.com")
    key = [
        "--cert-path",
        str(desk.path / "config/live/wild/cert.pem"),
        "--key-path",
        str(desk.path / "config/live/wild/privkey.pem"),
    ]
    desk.run(*certbot, *revoke, *key)
    assert desk.statuses("*.bot.example.com") == ["revoked"]
    desk.run(*certbot, "update_account", "-m", "team@example.com")
    desk.run(*certbot, "unregister")


def test_lego(desk: Desk) -> None:
    """All three challenges, renewal and revocation."""
    kid, mac_key = desk.external_key("--reusable")
    base = ["lego", "--server", desk.lab.directory, "--accept-tos", "--path", str(desk.path), "-m", "ops@example.com"]
    base += ["--eab", "--kid", kid, "--hmac", mac_key]
    by_web = ["-d", "lego.example.com", "--http", "--http.port", f"127.0.0.1:{desk.port}"]
    desk.run(*base, *by_web, "run")
    chain = desk.path / "certificates" / "lego.example.com.crt"
    verify(desk.lab.service, chain)
    desk.run(*base, *by_web, "renew", "--days", "1000", "--no-random-sleep")
    assert desk.statuses("lego.example.com") == ["valid", "valid"]
    desk.run(*base, "-d", "tls.lego.example.com", "--tls", "--tls.port", f"127.0.0.1:{desk.lab.tls_port}", "run")
    dns = ["--dns", "exec", "--dns.disable-cp", "--dns.resolvers", desk.lab.dns.address]
    desk.run(*base, "-d", "*.lego.example.com", *dns, "run", "--must-staple", EXEC_PATH=desk.hook())
    wild = desk.path / "certificates" / "_.lego.example.com.crt"
    assert (names_of(wild), demands_stapling(wild), demands_stapling(chain)) == (["*.lego.example.com"], True, False)
    desk.run(*base, "-d", "lego.example.com", "revoke", "--reason", "4")
    assert desk.statuses("lego.example.com") == ["revoked", "valid"]


def test_uacme(desk: Desk) -> None:
    """http-01 by a hook, another account key, revocation, and the end of the account."""
    kid, mac_key = desk.external_key()
    # It takes no file of trust anchors, so it gets a view of the file system in which the system's are ours.
    bundle = "/etc/ssl/certs/ca-certificates.crt"
    inside = f'mount --bind "{desk.lab.service.root}" {bundle} && exec uacme "$@"'
    uacme = ["unshare", "--map-root-user", "--mount", "sh", "-c", inside, "uacme", "-v", "-y"]
    uacme += ["-c", str(desk.path / "conf"), "-a", desk.lab.directory]
    with web_root(desk) as well_known:
        hook = desk.path / "uacme-hook.sh"
        hook.write_text(
            f'#!/bin/sh\n[ "$2" = http-01 ] || exit 1\n[ "$1" != begin ] || printf %s "$5" >"{well_known}/$4"\n'
        )
        hook.chmod(0o700)
        desk.run(*uacme, "-e", f"{kid}:{mac_key}", "new", "ops@example.com")
        desk.run(*uacme, "-h", str(hook), "issue", "uacme.example.com", "www.uacme.example.com")
        chain = desk.path / "conf" / "uacme.example.com" / "cert.pem"
        verify(desk.lab.service, chain)
        desk.run(*uacme, "newkey")
        desk.run(*uacme, "-f", "-h", str(hook), "issue", "uacme.example.com", "www.uacme.example.com")
        desk.run(*uacme, "revoke", str(chain))
        assert desk.statuses("uacme.example.com") == ["revoked", "valid"]
        desk.run(*uacme, "update", "team@example.com")
        desk.run(*uacme, "deactivate")


def test_dehydrated(desk: Desk) -> None:
    """Both challenges that it has, by curl and openssl; the alternate chain, renewal and revocation."""
    kid, mac_key = desk.external_key()
    with web_root(desk) as well_known:
        (desk.path / "config").write_text(
            f'CA="{desk.lab.directory}"\nBASEDIR="{desk.path}"\nWELLKNOWN="{well_known}"\n'
            f'CURL_OPTS="--cacert {desk.lab.service.root}"\nKEY_ALGO=secp384r1\n'
            f'EAB_KID="{kid}"\nEAB_HMAC_KEY="{mac_key}"\nCONTACT_EMAIL=ops@example.com\n'
        )
        dehydrated = ["dehydrated", "--config", str(desk.path / "config")]
        desk.run(*dehydrated, "--register", "--accept-terms")
        desk.run(*dehydrated, "--cron", "--domain", "hydra.example.com", "--alias", "hydra")
        chain = desk.path / "certs" / "hydra" / "fullchain.pem"
        verify(desk.lab.service, chain)
        desk.run(
            *dehydrated, "--cron", "--domain", "*.hydra.example.com", "--alias", "wild", "--challenge", "dns-01",
            "--hook", desk.hook(),
        )  # fmt: skip
        assert names_of(desk.path / "certs" / "wild" / "cert.pem") == ["*.hydra.example.com"]
        again = [*dehydrated, "--cron", "--force", "--domain", "hydra.example.com", "--alias", "hydra"]
        said = desk.run(*again, "--preferred-chain", "Nobody's Root", code=1)
        options = said.replace("CN = ", "CN=")  # as OpenSSL 3.2 and later has it
        assert "available options: issuer=CN=Counterseal Root" in options  # it has read the alternate chain as well
        desk.run(*again)
        desk.run(*dehydrated, "--revoke", str(desk.path / "certs" / "hydra" / "cert.pem"))
        assert desk.statuses("hydra.example.com") == ["revoked", "valid", "valid"]


@pytest.fixture(scope="module")
def open_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Lab, int]]:
    """Return a server at which everybody may make an account."""
    with ExitStack() as stack:
        port = free_port()
        yield start_lab(stack, tmp_path_factory.mktemp("open") / "home", http_port=port), port


def test_acme_tiny(open_lab: tuple[Lab, int], tmp_path: Path) -> None:
    """The smallest of them, with an RSA account key."""
    desk = Desk(*open_lab, tmp_path)
    with web_root(desk) as well_known:
        desk.run("openssl", "genrsa", "-out", "account.key", "2048")
        key = ["-newkey", "rsa:2048", "-nodes", "-keyout", "own.key"]
        desk.run("openssl", "req", "-new", *key, "-subj", "/CN=tiny.example.com", "-out", "own.csr")
        tiny = ["--account-key", "account.key", "--csr", "own.csr", "--acme-dir", str(well_known), "--disable-check"]
        for _ in range(2):  # it renews by being run again
            said = desk.run("acme-tiny", *tiny, "--directory-url", desk.lab.directory, "--quiet")
            (tmp_path / "chain.pem").write_text(said[said.index("-----BEGIN") :])
            verify(desk.lab.service, tmp_path / "chain.pem")
    assert desk.statuses("tiny.example.com") == ["valid", "valid"]


def test_caddy(open_lab: tuple[Lab, int], tmp_path: Path) -> None:
    """A web server that gets its own certificate by tls-alpn-01, serves it, and renews it."""
    desk = Desk(*open_lab, tmp_path)
    site = {"listen": [f"127.0.0.1:{desk.lab.tls_port}"], "routes": [{"match": [{"host": ["caddy.example.com"]}]}]}
    issuer: dict[str, object] = {
        "module": "acme",
        "ca": desk.lab.directory,
        "trusted_roots_pem_files": [str(desk.lab.service.root)],
    }
    issuer |= {"challenges": {"http": {"disabled": True}, "tls-alpn": {"alternate_port": desk.lab.tls_port}}}
    soon = {"renewal_window_ratio": 0.99999}  # due at once: more of its time than that is over
    configuration = {
        "admin": {"disabled": True},
        "storage": {"module": "file_system", "root": str(tmp_path / "caddy")},
        "apps": {
            "http": {"http_port": desk.port, "https_port": desk.lab.tls_port, "servers": {"one": site}},
            "tls": {"automation": {"renew_interval": "1s", "policies": [{"issuers": [issuer], **soon}]}},
        },
    }
    (tmp_path / "caddy.json").write_text(json.dumps(configuration))
    process = subprocess.Popen(
        ["caddy", "run", "--config", "caddy.json"],
        cwd=tmp_path,
        env={**os.environ, "HOME": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        deadline = time.monotonic() + SECONDS
        curl = ["curl", "-sS", "-o", "/dev/null", "--cacert", str(desk.lab.service.root)]
        curl += ["--connect-to", f"caddy.example.com:443:127.0.0.1:{desk.lab.tls_port}", "https://caddy.example.com/"]
        while subprocess.run(curl, capture_output=True, timeout=SECONDS, check=False).returncode:
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.1)
        while len(desk.statuses("caddy.example.com")) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.1)
    finally:
        process.terminate()
        _, said = process.communicate(timeout=SECONDS)
    assert "certificate obtained successfully" in said
    assert set(desk.statuses("caddy.example.com")) == {"valid"}


def test_acme_client_of_node(desk: Desk) -> None:
    """A program of a user's own, in JavaScript: bound account, http-01, renewal, another account key, revocation."""
    kid, mac_key = desk.external_key()
    modules, program = Path(sys.prefix) / "node" / "node_modules", Path(__file__).with_name("acme_client.js")
    assert (modules / "acme-client").is_dir(), "no acme-client for Node: sh scripts/setup.sh all"
    with web_root(desk) as well_known:
        arguments = [desk.lab.directory, kid, mac_key, str(well_known), "node.example.com"]
        root = str(desk.lab.service.root)
        desk.run("node", str(program), *arguments, NODE_EXTRA_CA_CERTS=root, NODE_PATH=str(modules))
    verify(desk.lab.service, desk.path / "chain.pem")
    assert desk.statuses("node.example.com") == ["revoked", "valid"]


def test_the_clients_are_here() -> None:
    """A client that is missing fails the test that needs it; this one says which package brings it."""
    wanted = ("certbot", "lego", "uacme", "dehydrated", "acme-tiny", "caddy")
    assert [name for name in wanted if shutil.which(name) is None] == []
