"""``counterseal ca show``: one CA with what it is, for how long, and how whoever is to trust it knows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from counterseal.authority.ca_json import ca_to_json
from counterseal.authority.inventory import show_state
from counterseal.authority.parts import ROOT
from counterseal.cli.common import Run, common
from counterseal.cli.completions import complete_cas
from counterseal.duration import show_duration
from counterseal.moments import moment, show_moment
from counterseal.pki.extensions import extension_in
from counterseal.pki.keys import show_key
from counterseal.pki.names import show_name
from counterseal.pki.shown import show_serial
from counterseal.pki.subject import show_subject

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from counterseal.authority.parts import Authority
    from counterseal.store.records import CARecord, CRLTimes


@click.command("show", epilog="\b\nExamples:\n  counterseal ca show\n  counterseal ca show clients")
@click.argument("name", default=ROOT, shell_complete=complete_cas)
@common
def show_ca(run: Run, *, name: str) -> None:
    """Show a CA: subject, dates, key, fingerprint, list.

    The root, unless another is named.
    """
    with run.authority() as authority:
        record, now = authority.store.ca(name), authority.clock()
        crl, key = authority.store.latest_crl_times(name), _key(authority, record)
        making = "counterseal crl" if authority.keystore.has(record.key_id) else "counterseal ca import-crl FILE"
    certificate = x509.load_der_x509_certificate(record.certificate)
    fingerprint = certificate.fingerprint(SHA256()).hex()
    lines = [
        f"name     {record.name}",
        f"purpose  {record.purpose}",
        f"state    {show_state(record)}",
        *_certificate(certificate, now),
        f"key      {show_key(certificate.public_key())}, {key}",
        f"SHA-256  {fingerprint}",
        f"list     {f'none: {making}' if crl is None else _list(crl, now)}",
    ]
    run.show({"ca": ca_to_json(record, crl), "sha256": fingerprint}, "\n".join(lines))


def _certificate(certificate: x509.Certificate, now: datetime) -> Iterator[str]:
    until = certificate.not_valid_after_utc
    yield f"subject  {show_subject(certificate.subject)}"
    yield f"issuer   {show_subject(certificate.issuer)}"
    yield f"serial   {show_serial(certificate.serial_number)}"
    yield f"from     {show_moment(certificate.not_valid_before_utc)}"
    yield f"until    {show_moment(until)} ({show_duration(until - now)})"
    constraints = extension_in(certificate.extensions, x509.NameConstraints)
    if constraints and constraints.permitted_subtrees:
        yield f"permits  {', '.join(map(show_name, constraints.permitted_subtrees))}"


def _key(authority: Authority, record: CARecord) -> str:
    if not authority.keystore.has(record.key_id):
        return "not on this machine"
    return "encrypted" if authority.keystore.is_encrypted(record.key_id) else "not encrypted"


def _list(crl: CRLTimes, now: datetime) -> str:
    left = show_duration(moment(crl.next_update) - now)
    return f"number {crl.number}, {crl.entries} revoked, until {show_moment(moment(crl.next_update))} ({left})"
