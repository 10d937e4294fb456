"""The files that the cases of the linter name, made once in a run, and the cases themselves.

A case is a whole configuration in ``tests/cases/nginx_lint/CODE/``. At the end of each line with a finding stands
``# finds CODE`` (several codes with commas); a case without one must be silent. First lines ``# as nginx VERSION`` say
as which nginx it is linted, otherwise an old and a new one. ``# nginx -t refuses``, which may add ``before VERSION``,
tells that nginx itself notices.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed448
from cryptography.x509.oid import ExtendedKeyUsageOID

from counterseal.nginx.version import named_version
from counterseal.pki.crl import encode_entry, sign_crl, to_pem
from pki_fixtures import key_of, make_ca, make_client, make_server
from signing import KeySigner

if TYPE_CHECKING:
    from counterseal.nginx.version import NginxVersion
    from pki_fixtures import Issued

CASES = Path(__file__).parent / "cases" / "nginx_lint"
RIGHT = CASES.parent / "nginx_right"
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
VERSIONS = ("1.22.1-9+deb12u9", "1.31.5")
PEM = serialization.Encoding.PEM
CLIENT_AUTH = ExtendedKeyUsageOID.CLIENT_AUTH
_MARK = re.compile(r"# finds ([a-z0-9, -]+)$")
_REFUSED = re.compile(r"^# nginx -t refuses(?: before (\S+))?$", re.MULTILINE)
_AS = re.compile(r"^# as nginx (\S+)", re.MULTILINE)


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


def list_cases() -> list[Case]:
    """Return every case there is."""
    return [Case(path) for path in sorted(CASES.glob("*/*.conf"))]


def write_lab(directory: Path) -> None:
    """Write every file that the cases name: their includes, certificates, keys and lists."""
    for include in CASES.glob("*.inc"):
        (directory / include.name).write_text(include.read_text())
    (directory / "ticket.key").write_bytes(bytes(range(80)))
    for name, content in lab_files().items():
        path = directory / name
        path.write_bytes(content)
        path.chmod(0o600 if name.endswith(".key") and name != "open.key" else 0o644)


@cache
def lab_files() -> dict[str, bytes]:
    """Return every certificate, key and list that the cases name, by file name."""
    server_root, root, other = make_ca("Server Root"), make_ca("Clients Root"), make_ca("Other Root")
    server_ca = make_ca("Server CA", server_root, purpose=ExtendedKeyUsageOID.SERVER_AUTH)
    clients = make_ca("Clients CA", root, purpose=ExtendedKeyUsageOID.CLIENT_AUTH)
    server, lone = make_server(server_ca, "*.test"), make_server(other, "lone.test")
    alice = make_client(clients, "alice")
    return {
        "server.pem": _pem(server, server_ca),
        "server.key": _key(server),
        "lone.pem": _pem(lone),
        "lone.key": _key(lone),
        "clients.pem": _pem(root, clients),
        "clients.crl": _crl(root) + _crl(clients, alice),
        "other.pem": _pem(other),
        "two-roots.pem": _pem(root, clients, other),
        "other.crl": _crl(other),
        "chain.pem": _pem(server_ca),
        "server-root.pem": _pem(server_root),
        "alice.pem": _pem(alice, clients),
        "alice.key": _key(alice),
        **_odd_cas(root, clients, alice),
        **_odd_lists(root, clients, other),
        **_deep(),
        **_sisters(),
        **_both_purposes(),
        **_servers(server_ca, server, alice, lone),
    }


def _odd_cas(root: Issued, clients: Issued, alice: Issued) -> dict[str, bytes]:
    """Return files of client CAs with something in them, or missing, that nginx takes."""
    former = make_ca(
        "Former Root",
        key=key_of("p-256"),
        created=datetime(2020, 1, 1, tzinfo=UTC),
        expires=datetime(2025, 1, 1, tzinfo=UTC),
    )
    return {
        "with-key.pem": _pem(root, clients) + _key(clients),
        "with-leaf.pem": _pem(root, clients, alice),
        "lacks-root.pem": _pem(clients),
        "root-only.pem": _pem(root),
        "expired.pem": _pem(former),
        "renewed.pem": _pem(former, make_ca("Former Root", key=key_of("p-256"))),
        "public.pem": _pem(make_ca("ISRG Root X9", organization="Internet Security Research Group")),
        "many.pem": _pem(*(make_ca(f"Root {number}", key=key_of("p-256")) for number in range(51))),
    }


def _odd_lists(root: Issued, clients: Issued, other: Issued) -> dict[str, bytes]:
    """Return files of revocation lists with something wrong that nginx takes."""
    past = datetime(2025, 4, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
    future = datetime(2035, 1, 1, tzinfo=UTC), datetime(2036, 1, 1, tzinfo=UTC)
    forged = make_ca("Clients CA", other)
    return {
        "with-certificate.crl": _crl(root) + _crl(clients) + _pem(other),
        "expired.crl": _crl(root) + _crl(clients, created=past[0], expires=past[1]),
        "expired-and-new.crl": _crl(root) + _crl(clients) + _crl(clients, created=past[0], expires=past[1]),
        "future.crl": _crl(root) + _crl(clients, created=future[0], expires=future[1]),
        "issuing-only.crl": _crl(clients),
        "twice.crl": _crl(root) + _crl(clients) + _crl(clients),
        "forged.crl": _crl(root) + _crl(forged),
        "large.crl": _crl(root) + _large_crl(clients),
    }


def _deep() -> dict[str, bytes]:
    """Return the CAs of a path with two intermediates, and a client at its end."""
    root = make_ca("Deep Root", path_length=2)
    middle = make_ca("Middle CA", root, path_length=1)
    low = make_ca("Low CA", middle)
    client = make_client(low, "dora")
    return {"deep.pem": _pem(root, middle, low), "dora.pem": _pem(client), "dora.key": _key(client)}


def _sisters() -> dict[str, bytes]:
    """Return two issuing CAs below one root, which says nothing of what they are for."""
    root = make_ca("Shared Root")
    staff, devices = make_ca("Staff CA", root), make_ca("Devices CA", root)
    client = make_client(devices, "sensor")
    return {
        "staff.pem": _pem(root, staff),
        "devices.pem": _pem(root, devices),
        "sensor.pem": _pem(client, devices),
        "sensor.key": _key(client),
    }


def _both_purposes() -> dict[str, bytes]:
    """Return a single-tier CA whose server certificate is for both purposes, and one whose is not."""
    one = make_ca("Single CA")
    both = make_server(one, "both.test", purposes=(ExtendedKeyUsageOID.SERVER_AUTH, CLIENT_AUTH))
    pure = make_server(one, "pure.test")
    return {
        "single.pem": _pem(one),
        "both.pem": _pem(both),
        "both.key": _key(both),
        "pure.pem": _pem(pure),
        "pure.key": _key(pure),
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
    public = make_ca("Example TLS CA", organization="Let's Encrypt")
    return {
        **{f"{name}.pem": _pem(one, server_ca) for name, one in wrong_time.items()},
        **{f"{name}.key": _key(one) for name, one in wrong_time.items()},
        "rsa.pem": _pem(rsa, server_ca),
        "rsa.key": _key(rsa),
        "wild.pem": _pem(wild, server_ca),
        "wild.key": _key(wild),
        "wild-panel.pem": _pem(make_server(server_ca, "*.panel.test", key=key), server_ca),
        "alice-server.pem": _pem(wrong_purpose, server_ca),
        "leaf.pem": _pem(server),
        "public-leaf.pem": _pem(make_server(public, "panel.test", key=lone.private_key)),
        "open.key": _key(server),
        "alice-alone.pem": _pem(alice),
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


def _pem(*issued: Issued) -> bytes:
    return b"".join(one.certificate.public_bytes(PEM) for one in issued)


def _key(issued: Issued) -> bytes:
    return issued.private_key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def _crl(
    issuer: Issued,
    *revoked: Issued,
    created: datetime = datetime(2025, 3, 1, tzinfo=UTC),
    expires: datetime = datetime(2040, 3, 1, tzinfo=UTC),
) -> bytes:
    builder = x509.CertificateRevocationListBuilder().issuer_name(issuer.certificate.subject)
    builder = builder.last_update(created).next_update(expires)
    key_identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.private_key.public_key())
    builder = builder.add_extension(key_identifier, critical=False)
    for one in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(one.certificate.serial_number).revocation_date(created)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(issuer.private_key, hashes.SHA256()).public_bytes(PEM)
