"""The files that the cases of the linter name, made once in a run, and the cases themselves.

A case is a whole configuration in ``tests/cases/nginx_lint/CODE/``. At the end of each line with a finding stands
``# finds CODE`` (several codes with commas); a case without one must be silent. First lines ``# as nginx VERSION`` say
as which nginx it is linted, otherwise an old and a new one. ``# nginx -t refuses``, which may add ``before VERSION``,
tells that nginx itself notices. ``# needs MODULE...`` names what has to be loaded, in this order: only Debian's nginx
has such modules.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, lru_cache
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed448
from cryptography.x509.oid import ExtendedKeyUsageOID

from counterseal.nginx.lint.build import build
from counterseal.nginx.lint.edit import apply_edits, choose_edits
from counterseal.nginx.lint.engine import lint
from counterseal.nginx.lint.fix import SUGGESTED
from counterseal.nginx.lint.gather import gather_files
from counterseal.nginx.reading import read_configuration
from counterseal.nginx.version import named_version
from counterseal.pki.crl import encode_entry, sign_crl, to_pem
from pki_fixtures import key_of, make_ca, make_client, make_server, remade
from signing import KeySigner
from stapling import responder_at, response

if TYPE_CHECKING:
    from counterseal.nginx.lint.engine import LintResult
    from counterseal.nginx.version import NginxVersion
    from pki_fixtures import Issued

MODULES = Path("/usr/lib/nginx/modules")
STREAM = "ngx_stream_module"
"""Debian builds stream as a module of its own, in libnginx-mod-stream."""
CASES = Path(__file__).parent / "cases" / "nginx_lint"
RIGHT = CASES.parent / "nginx_right"
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
VERSIONS = ("1.22.1-9+deb12u9", "1.31.5")
PEM = serialization.Encoding.PEM
CLIENT_AUTH = ExtendedKeyUsageOID.CLIENT_AUTH
FORMER = "Former Root"
PAST = datetime(2025, 4, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
PUBLIC = ("ISRG Root X9", "Internet Security Research Group")
ORIGIN_PULL = ("origin-pull.cloudflare.net", "CloudFlare, Inc.")
_MARK = re.compile(r"# finds ([a-z0-9, -]+)$")
_REFUSED = re.compile(r"^# nginx -t refuses(?: before (\S+))?$", re.MULTILINE)
_AS = re.compile(r"^# as nginx (\S+)", re.MULTILINE)
_NEEDS = re.compile(r"^# needs (.+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Case:
    """One configuration, and what is to be found in it."""

    path: Path

    @property
    def text(self) -> str:
        """What it says."""
        return self.path.read_text()

    @property
    def code(self) -> str:
        """The rule it is about."""
        return self.path.parent.name

    @property
    def marks(self) -> set[tuple[int, str]]:
        """What is to be found: (line, code)."""
        lines = enumerate(self.text.splitlines(), start=1)
        found = ((number, match[1]) for number, line in lines if (match := _MARK.search(line)))
        return {(number, code.strip()) for number, codes in found for code in codes.split(",")}

    @property
    def versions(self) -> tuple[str, ...]:
        """As which nginx it is linted."""
        return tuple(_AS.findall(self.text)) or VERSIONS

    def is_refused(self, version: NginxVersion) -> bool:
        """Whether ``nginx -t`` of that version refuses it itself."""
        match = _REFUSED.search(self.text)
        return match is not None and (match[1] is None or version.number < named_version(match[1]).number)

    def __str__(self) -> str:
        return f"{self.code}/{self.path.stem}"


def needed_modules(text: str) -> list[str]:
    """Return the names of the modules that a configuration needs loaded."""
    return " ".join(_NEEDS.findall(text)).split()


def load_modules(*names: str) -> str:
    """Return the directives that load modules of Debian's nginx."""
    return " ".join(f"load_module {MODULES / name}.so;" for name in names)


def list_cases(code: str = "*") -> list[Case]:
    """Return every case there is, or those of one rule."""
    return [Case(path) for path in sorted(CASES.glob(f"{code}/*.conf"))]


@lru_cache(maxsize=64)
def look(text: str, conf: Path, version: str) -> LintResult:
    """Lint a configuration as if it stood at ``conf``, beside the files that it names, which stay as they are."""
    whole = read_configuration(conf, overlay={str(conf): text})
    files = gather_files(whole.tree, conf.parent)
    return lint(build(whole.tree, version=named_version(version), now=NOW, files=files), whole.texts)


def mended(case: Case, conf: Path, version: str) -> str:
    """Return the text of a case after the edits of its findings."""
    edits = look(case.text, conf, version).edits()
    return apply_edits({str(conf): case.text}, edits).get(str(conf), case.text)


FILLED = {
    "<client-ca.pem>": "clients.pem",
    "<client-ca.crl>": "clients.crl",
    "<upstream-ca.pem>": "server-root.pem",
    "<upstream-ca.crl>": "server.crl",
    "<certificate.pem>": "clients.pem",
    "<fullchain.pem>": "both-names.pem",
    "<server.key>": "server.key",
    "<client.pem>": "alice.pem",
    "<client.key>": "alice.key",
    "<error.log>": "error.log",
    "<address>": "127.0.0.1",
    "<name>": "panel.test",
    "<fingerprint>": "0123456789abcdef0123456789abcdef01234567",
    "<serial-number>": "0A1B",
    "<ssl-client-i-dn>": "CN=Clients CA",
}
"""What an owner could write for each placeholder."""
FILLED_IN = {
    "mtls-crl-missing-for-intermediate/bad_for_issuing": {"<client-ca.crl>": "staff.crl"},
    "tls-chain-incomplete/bad_public": {"<fullchain.pem>": "public.fullchain.pem"},
    "up-client-cert-without-chain/bad": {"<fullchain.pem>": "alice.pem"},
    "up-client-cert-without-chain/bad_uwsgi": {"<fullchain.pem>": "alice.pem"},
}
"""The same for single cases, whose keys and CAs are others."""


def as_suggested(case: Case, conf: Path, version: str) -> dict[str, str]:
    """Return the text of a case after the suggestions of each rule, by its code, with the placeholders filled in."""
    found = [one for one in look(case.text, conf, version).found if one.has(*SUGGESTED)]
    texts = {}
    for code in {one.rule.code for one in found}:
        edits = choose_edits(one.fix.edits for one in found if one.fix and one.rule.code == code)
        text = apply_edits({str(conf): case.text}, edits).get(str(conf), case.text)
        for placeholder, filled in (FILLED | FILLED_IN.get(str(case), {})).items():
            text = text.replace(placeholder, filled)
        texts[code] = text
    return texts


def write_lab(directory: Path) -> None:
    """Write every file that the cases name: their includes, certificates, keys and lists."""
    for include in (*CASES.glob("*.inc"), *CASES.glob("*.js")):
        (directory / include.name).write_text(include.read_text())
    (directory / "ticket.key").write_bytes(bytes(range(80)))
    for name, content in lab_files().items():
        path = directory / name
        path.write_bytes(content)
        path.chmod(0o600 if name.endswith(".key") and name != "open.key" else 0o644)


class Authorities(NamedTuple):
    """The CAs that most cases name."""

    server_root: Issued
    server_ca: Issued
    root: Issued
    clients: Issued
    other: Issued


@cache
def authorities() -> Authorities:
    """Return them; always the same ones within a run."""
    server_root, root = make_ca("Server Root"), make_ca("Clients Root")
    return Authorities(
        server_root,
        make_ca("Server CA", server_root, purpose=ExtendedKeyUsageOID.SERVER_AUTH),
        root,
        make_ca("Clients CA", root, purpose=CLIENT_AUTH),
        make_ca("Other Root"),
    )


def make_odd_root(common_name: str, organization: str | None = None) -> Issued:
    """Return one of the roots that are odd as client CAs, all with one key: the former, a public one, a shared one."""
    is_former = common_name == FORMER
    return make_ca(
        common_name,
        key=key_of("p-256"),
        organization=organization,
        created=datetime(2020, 1, 1, tzinfo=UTC) if is_former else None,
        expires=datetime(2025, 1, 1, tzinfo=UTC) if is_former else None,
    )


@cache
def lab_files() -> dict[str, bytes]:
    """Return every certificate, key and list that the cases name, by file name."""
    server_root, server_ca, root, clients, other = authorities()
    server, lone = make_server(server_ca, *_server_names()), make_server(other, "lone.test")
    both = make_server(server_ca, "panel.test", "*.panel.test", key=server.private_key)
    alice = make_client(clients, "alice")
    return {
        "server.pem": to_pem_file(server, server_ca),
        "server.key": to_key(server),
        "panel.test.pem": to_pem_file(server, server_ca),
        "panel.test.key": to_key(server),
        "lone.pem": to_pem_file(lone),
        "lone.key": to_key(lone),
        "clients.pem": to_pem_file(root, clients),
        "clients.crl": to_crl(root) + to_crl(clients, alice),
        "clients-before.crl": to_crl(root) + to_crl(clients),
        "other.pem": to_pem_file(other),
        "two-roots.pem": to_pem_file(root, clients, other),
        "other.crl": to_crl(other),
        "chain.pem": to_pem_file(server_ca),
        "server-root.pem": to_pem_file(server_root),
        "both-names.pem": to_pem_file(both, server_ca),
        "server.crl": to_crl(server_root) + to_crl(server_ca, both),
        "server-expired.crl": to_crl(server_root) + to_crl(server_ca, created=PAST[0], expires=PAST[1]),
        "server-expired-and-new.crl": to_crl(server_root)
        + to_crl(server_ca)
        + to_crl(server_ca, created=PAST[0], expires=PAST[1]),
        "server-delta.crl": to_crl(server_root) + to_crl(server_ca, delta=True),
        "alice.pem": to_pem_file(alice, clients),
        "alice.key": to_key(alice),
        **_odd_cas(root, clients, alice),
        **_odd_lists(root, clients, other),
        **_deep(),
        **_sisters(),
        **_both_purposes(),
        **_servers(server_ca, server, alice, lone),
    }


def _server_names() -> list[str]:
    """Return every name below .test with one label that a case has, which a wildcard does not cover."""
    texts = (path.read_text() for directory in (CASES, RIGHT) for path in directory.rglob("*.conf"))
    names = {name for text in texts for name in re.findall(r"\b[a-z]+\.test\b", text)}
    return ["panel.test", *sorted(names - {"panel.test"})]


def _odd_cas(root: Issued, clients: Issued, alice: Issued) -> dict[str, bytes]:
    """Return files of client CAs with something in them, or missing, that nginx takes."""
    former = make_odd_root(FORMER)
    return {
        "with-key.pem": to_pem_file(root, clients) + to_key(clients),
        "with-leaf.pem": to_pem_file(root, clients, alice),
        "lacks-root.pem": to_pem_file(clients),
        "root-only.pem": to_pem_file(root),
        "expired.pem": to_pem_file(former),
        "renewed.pem": to_pem_file(former, make_ca(FORMER, key=key_of("p-256"))),
        "public.pem": to_pem_file(make_odd_root(*PUBLIC)),
        "origin-pull.pem": to_pem_file(make_odd_root(*ORIGIN_PULL)),
        "many.pem": to_pem_file(*(make_ca(f"Root {number}", key=key_of("p-256")) for number in range(51))),
    }


def _odd_lists(root: Issued, clients: Issued, other: Issued) -> dict[str, bytes]:
    """Return files of revocation lists with something wrong that nginx takes."""
    future = datetime(2035, 1, 1, tzinfo=UTC), datetime(2036, 1, 1, tzinfo=UTC)
    forged = make_ca("Clients CA", other)
    return {
        "with-certificate.crl": to_crl(root) + to_crl(clients) + to_pem_file(other) + to_crl(other),
        "expired.crl": to_crl(root) + to_crl(clients, created=PAST[0], expires=PAST[1]),
        "expired-and-new.crl": to_crl(root) + to_crl(clients) + to_crl(clients, created=PAST[0], expires=PAST[1]),
        "future.crl": to_crl(root) + to_crl(clients, created=future[0], expires=future[1]),
        "delta.crl": to_crl(root) + to_crl(clients, delta=True),
        "issuing-only.crl": to_crl(clients),
        "twice.crl": to_crl(root) + to_crl(clients) + to_crl(clients),
        "tampered.crl": to_crl(root) + to_crl(clients, signer=other),
        "forged.crl": to_crl(root) + to_crl(forged),
        "large.crl": to_crl(root) + _large_crl(clients),
    }


def _deep() -> dict[str, bytes]:
    """Return the CAs of a path with two intermediates, and a client at its end."""
    root = make_ca("Deep Root", path_length=2)
    middle = make_ca("Middle CA", root, path_length=1)
    low = make_ca("Low CA", middle)
    client = make_client(low, "dora")
    server = make_server(low, "panel.test")
    return {
        "deep.pem": to_pem_file(root, middle, low),
        "dora.pem": to_pem_file(client),
        "dora.key": to_key(client),
        "deep-server.pem": to_pem_file(server, low, middle),
        "deep-server.key": to_key(server),
    }


def _sisters() -> dict[str, bytes]:
    """Return two issuing CAs below one root, which says nothing of what they are for."""
    root = make_ca("Shared Root")
    staff, devices = make_ca("Staff CA", root), make_ca("Devices CA", root)
    client = make_client(devices, "sensor")
    return {
        "staff.pem": to_pem_file(root, staff),
        "staff.crl": to_crl(root) + to_crl(staff),
        "devices.pem": to_pem_file(root, devices),
        "sensor.pem": to_pem_file(client, devices),
        "sensor.key": to_key(client),
    }


def _both_purposes() -> dict[str, bytes]:
    """Return a single-tier CA whose server certificate is for both purposes, and one whose is not."""
    one = make_ca("Single CA")
    both = make_server(one, "both.test", purposes=(ExtendedKeyUsageOID.SERVER_AUTH, CLIENT_AUTH))
    pure = make_server(one, "pure.test")
    return {
        "single.pem": to_pem_file(one),
        "both.pem": to_pem_file(both),
        "both.key": to_key(both),
        "pure.pem": to_pem_file(pure),
        "pure.key": to_key(pure),
    }


def _servers(server_ca: Issued, server: Issued, alice: Issued, lone: Issued) -> dict[str, bytes]:
    """Return server certificates with something wrong, or unusual, in them."""
    key = server.private_key
    dated = {
        "former": (datetime(2024, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC)),
        "future": (datetime(2039, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)),
    }
    wrong_time = {
        name: make_server(server_ca, "panel.test", created=begin, expires=end) for name, (begin, end) in dated.items()
    }
    wrong_purpose = make_server(server_ca, "panel.test", key=alice.private_key, purposes=(CLIENT_AUTH,))
    rsa = make_server(server_ca, "panel.test", key=key_of("rsa-2048"))
    wild = make_server(server_ca, "*.wild.test")
    demand = x509.TLSFeature([x509.TLSFeatureType.status_request])
    must_staple = remade(server, server_ca, add=(responder_at(9), demand))
    public = make_ca("Example TLS CA", organization="Let's Encrypt")
    of_public = make_server(public, "panel.test", key=lone.private_key)
    return {
        **{f"{name}.pem": to_pem_file(one, server_ca) for name, one in wrong_time.items()},
        **{f"{name}.key": to_key(one) for name, one in wrong_time.items()},
        "rsa.pem": to_pem_file(rsa, server_ca),
        "rsa.key": to_key(rsa),
        "wild.pem": to_pem_file(wild, server_ca),
        "top-level.pem": to_pem_file(make_server(server_ca, "*.test", key=key), server_ca),
        "wild.key": to_key(wild),
        "wild-panel.pem": to_pem_file(make_server(server_ca, "*.panel.test", key=key), server_ca),
        "alice-server.pem": to_pem_file(wrong_purpose, server_ca),
        "must-staple.pem": to_pem_file(must_staple, server_ca),
        "must-staple.der": response(must_staple, server_ca),
        "leaf.pem": to_pem_file(server),
        "public-leaf.pem": to_pem_file(of_public),
        "public.fullchain.pem": to_pem_file(of_public, public),
        "open.key": to_key(server),
        "alice-alone.pem": to_pem_file(alice),
    }


def _large_crl(issuer: Issued) -> bytes:
    """Return a list of 100,000 entries; the cryptography library would take minutes to build it."""
    created, expires = datetime(2025, 3, 1, tzinfo=UTC), datetime(2040, 3, 1, tzinfo=UTC)
    entry = encode_entry(1 << 100, created)
    assert not isinstance(issuer.private_key, ed448.Ed448PrivateKey)
    signer = KeySigner(issuer.private_key)
    made = sign_crl(
        issuer.certificate,
        entries=repeat(entry, 100_000),
        signer=signer,
        number=1,
        this_update=created,
        next_update=expires,
    )
    return to_pem(made)


def to_pem_file(*issued: Issued) -> bytes:
    """Return certificates one after the other as PEM."""
    return b"".join(one.certificate.public_bytes(PEM) for one in issued)


def to_key(issued: Issued) -> bytes:
    """Return the private key as PEM, unencrypted."""
    return issued.private_key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def to_crl(
    issuer: Issued,
    *revoked: Issued,
    created: datetime = datetime(2025, 3, 1, tzinfo=UTC),
    expires: datetime = datetime(2040, 3, 1, tzinfo=UTC),
    delta: bool = False,
    signer: Issued | None = None,
) -> bytes:
    """Return a revocation list as PEM, which names the key of its issuer, whoever signs it."""
    builder = x509.CertificateRevocationListBuilder().issuer_name(issuer.certificate.subject)
    builder = builder.last_update(created).next_update(expires)
    key_identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.private_key.public_key())
    builder = builder.add_extension(key_identifier, critical=False)
    if delta:
        builder = builder.add_extension(x509.DeltaCRLIndicator(1), critical=True)
    for one in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(one.certificate.serial_number).revocation_date(created)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign((signer or issuer).private_key, hashes.SHA256()).public_bytes(PEM)
