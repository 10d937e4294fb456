"""The files that the cases of the linter name, made once in a run, and the cases themselves.

A case is a whole configuration in ``tests/cases/nginx_lint/CODE/``. At the end of each line with a finding stands
``# finds CODE`` (several codes with commas); a case without one must be silent. First lines ``# as nginx VERSION`` say
as which nginx it is linted, otherwise as an old and a new one. ``# nginx -t refuses`` tells that nginx itself notices.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import ExtendedKeyUsageOID

from pki_fixtures import make_ca, make_client, make_server

if TYPE_CHECKING:
    from pki_fixtures import Issued

CASES = Path(__file__).parent / "cases" / "nginx_lint"
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
VERSIONS = ("1.22.1-9+deb12u9", "1.31.5")
PEM = serialization.Encoding.PEM
_MARK = re.compile(r"# finds ([a-z0-9, -]+)$")
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

    @property
    def is_refused(self) -> bool:
        """Whether ``nginx -t`` itself refuses it."""
        return "\n# nginx -t refuses" in f"\n{self.text}"

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
    for name, content in _files().items():
        path = directory / name
        path.write_bytes(content)
        path.chmod(0o600 if name.endswith(".key") else 0o644)


def _files() -> dict[str, bytes]:
    server_root, root, other = make_ca("Server Root"), make_ca("Clients Root"), make_ca("Other Root")
    server_ca = make_ca("Server CA", server_root, purpose=ExtendedKeyUsageOID.SERVER_AUTH)
    clients = make_ca("Clients CA", root, purpose=ExtendedKeyUsageOID.CLIENT_AUTH)
    server, lone = make_server(server_ca, "panel.test"), make_server(other, "lone.test")
    client = make_client(clients, "alice")
    return {
        "server.pem": _pem(server, server_ca),
        "server.key": _key(server),
        "lone.pem": _pem(lone),
        "lone.key": _key(lone),
        "clients.pem": _pem(root, clients),
        "clients.crl": _crl(root) + _crl(clients, client),
        "other.pem": _pem(other),
        "other.crl": _crl(other),
        "chain.pem": _pem(server_ca),
        "server-root.pem": _pem(server_root),
    }


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
