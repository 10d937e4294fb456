"""Whom an older generation would let in again: of two CAs that gave the same serial number, each has its own list."""

from __future__ import annotations

from datetime import timedelta
from pathlib import PurePath
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from authority_fixtures import NOW, make_client, small_ca
from counterseal.authority.readmission import readmitted, revoked_cas_in
from counterseal.authority.revoke import revoke_record
from counterseal.authority.revoke_ca import revoke_ca
from counterseal.nginx.render.inventory import REVOKED_FILE, inventory_lines
from counterseal.nginx.render.layout import Layout
from counterseal.pki.crl import RevocationReason
from counterseal.pki.shown import show_serial
from counterseal.pki.subject import nginx_name

if TYPE_CHECKING:
    from pathlib import Path

NUMBERS = {"servers": 1, "clients": 2}
LAYOUT = Layout(current=PurePath("/x/current"), run=PurePath("/x/run"), prove_socket=PurePath("/x/prove.sock"))


def list_of(issuer: x509.Name, serial_number: int) -> bytes:
    """Return a CRL of this issuer with one entry."""
    entry = x509.RevokedCertificateBuilder().serial_number(serial_number).revocation_date(NOW).build()
    builder = (
        x509.CertificateRevocationListBuilder().issuer_name(issuer).last_update(NOW).add_revoked_certificate(entry)
    )
    made = builder.next_update(NOW + timedelta(days=1)).sign(ec.generate_private_key(ec.SECP256R1()), SHA256())
    return made.public_bytes(Encoding.PEM)


def ca_of(subject: x509.Name) -> bytes:
    """Return a certificate of this subject with a new key."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    dated = builder.serial_number(1).not_valid_before(NOW).not_valid_after(NOW + timedelta(days=1))
    return dated.sign(key, SHA256()).public_bytes(Encoding.PEM)


def test_a_revoked_ca_is_admitted_by_what_names_it_alone(tmp_path: Path) -> None:
    """Whose key for the list above is away is on none; a generation without the CA lets nobody in for it."""
    with small_ca(tmp_path) as authority:
        revoke_ca(authority, "clients", RevocationReason.KEY_COMPROMISE)
        (tmp_path / "maps").mkdir()
        (tmp_path / REVOKED_FILE).write_text("")
        root, clients = (authority.issuer(name).certificate.public_bytes(Encoding.PEM) for name in ("root", "clients"))
        for content, found in ((root + clients, ["clients"]), (root, [])):
            (tmp_path / "panel.client-cas.pem").write_bytes(content)
            assert [record.name for record in readmitted(authority, tmp_path)] == found
            assert list(revoked_cas_in(authority, tmp_path)) == found


def test_another_ca_of_its_subject_lets_a_revoked_one_in(tmp_path: Path) -> None:
    """Nginx knows both by this name alone; older homes may have two, the second under whatever root."""
    with small_ca(tmp_path) as authority:
        revoke_ca(authority, "clients", RevocationReason.KEY_COMPROMISE)
        (tmp_path / "maps").mkdir()
        (tmp_path / REVOKED_FILE).write_text("")
        subject = authority.issuer("clients").certificate.subject
        for name, found in ((subject, ["clients"]), (authority.issuer("servers").certificate.subject, [])):
            (tmp_path / "panel.client-cas.pem").write_bytes(ca_of(name))
            assert [record.name for record in readmitted(authority, tmp_path)] == found
            assert list(revoked_cas_in(authority, tmp_path)) == found


@pytest.mark.parametrize("by", ["map", "crl"])
@pytest.mark.parametrize(("lister", "found"), [("clients", []), ("servers", ["ann"]), (None, ["ann"])])
def test_a_serial_number_on_another_cas_list_is_not_refused(
    tmp_path: Path, by: str, lister: str | None, found: list[str]
) -> None:
    """The generation trusts both CAs; its one entry has the number of the certificate that is revoked today."""
    with small_ca(tmp_path) as authority:
        issued = make_client(authority)
        revoke_record(authority, issued.record, RevocationReason.KEY_COMPROMISE)
        serial_number = issued.record.serial_number
        cas = {name: authority.issuer(name).certificate for name in NUMBERS}
        generation = tmp_path / "generation"
        (generation / "maps").mkdir(parents=True)
        (generation / "client-cas.pem").write_bytes(b"".join(ca.public_bytes(Encoding.PEM) for ca in cas.values()))
        issuers = {nginx_name(ca.subject): NUMBERS[name] for name, ca in cas.items()}
        (generation / "http.conf").write_text("\n".join(inventory_lines(issuers, LAYOUT)))
        listed = f"{NUMBERS[lister]}:{show_serial(serial_number)} 1;\n" if lister and by == "map" else ""
        (generation / REVOKED_FILE).write_text(listed)
        if lister and by == "crl":
            (generation / "site.crl.pem").write_bytes(list_of(cas[lister].subject, serial_number))
        assert [record.name for record in readmitted(authority, generation)] == found
