"""Certificate revocation lists: entries encoded once, joined and signed (RFC 5280 section 5).

Decides how a full CRL looks: version 2, with authority key identifier and CRL number, without an issuing distribution
point. Must not know where entries are kept or who asked for the revocation: encoded entries, times, the number and a
signer are handed in. An entry is encoded when its certificate is revoked; a new list is then one join and one
signature, whatever its length.
"""

from __future__ import annotations

import binascii
from datetime import UTC
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING

from cryptography import x509

from counterseal.errors import InputError, RefusedError
from counterseal.pki import der, der_reader
from counterseal.pki.certificate import subject_key_identifier
from counterseal.pki.extensions import extension_in
from counterseal.pki.subject import show_subject

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from counterseal.pki.signer import Signer

_VERSION_2 = der.integer(1)
_TOO_LARGE = 1 << 159  # the first value beyond 20 octets (RFC 5280 5.2.3)
_AT_ONCE = 4096  # entries joined at a time: enough for speed, too few to be felt in memory


class RevocationReason(StrEnum):
    """Why a certificate was revoked (RFC 5280 5.3.1)."""

    UNSPECIFIED = "unspecified"
    KEY_COMPROMISE = "key_compromise"
    CA_COMPROMISE = "ca_compromise"
    AFFILIATION_CHANGED = "affiliation_changed"
    SUPERSEDED = "superseded"
    CESSATION_OF_OPERATION = "cessation_of_operation"
    CERTIFICATE_HOLD = "certificate_hold"
    REMOVE_FROM_CRL = "remove_from_crl"  # only a delta CRL may say so: encode_entry refuses it
    PRIVILEGE_WITHDRAWN = "privilege_withdrawn"
    AA_COMPROMISE = "aa_compromise"


REASON_NUMBERS = {
    RevocationReason.UNSPECIFIED: 0,
    RevocationReason.KEY_COMPROMISE: 1,
    RevocationReason.CA_COMPROMISE: 2,
    RevocationReason.AFFILIATION_CHANGED: 3,
    RevocationReason.SUPERSEDED: 4,
    RevocationReason.CESSATION_OF_OPERATION: 5,
    RevocationReason.CERTIFICATE_HOLD: 6,
    RevocationReason.REMOVE_FROM_CRL: 8,
    RevocationReason.PRIVILEGE_WITHDRAWN: 9,
    RevocationReason.AA_COMPROMISE: 10,
}

_REASON_EXTENSIONS = {
    reason: der.sequence(der.extension("2.5.29.21", der.enumerated(number), critical=False))
    for reason, number in REASON_NUMBERS.items()
    if reason not in {RevocationReason.UNSPECIFIED, RevocationReason.REMOVE_FROM_CRL}
} | {None: b"", RevocationReason.UNSPECIFIED: b""}  # RFC 5280 5.3.1: unspecified SHOULD be absent


def encode_entry(serial_number: int, revoked_at: datetime, *, reason: RevocationReason | None = None) -> bytes:
    """Return one entry of revokedCertificates (RFC 5280 5.1), for keeping and for `sign_crl`.

    ``revoked_at`` is an aware datetime, cut to whole seconds. Raises InputError ``crl.serial_number`` for a negative
    number, ``crl.time`` for a naive datetime, ``crl.reason`` for a reason that a full CRL cannot carry.
    """
    if serial_number < 0:
        raise InputError("crl.serial_number", f"serial number is negative: {serial_number}")
    if (reason_extension := _REASON_EXTENSIONS.get(reason)) is None:
        raise InputError("crl.reason", f"reason has no place in a full list: {reason}")
    return der.sequence(der.integer(serial_number), _time(revoked_at), reason_extension)


def sign_crl(
    issuer_certificate: x509.Certificate,
    *,
    number: int,
    this_update: datetime,
    next_update: datetime,
    entries: Iterable[bytes | memoryview],
    signer: Signer,
) -> bytes:
    """Return the signed CRL of ``issuer_certificate`` in DER.

    Each item of ``entries`` is one or more entries as `encode_entry` made them, so an older list can be extended by
    handing in `crl_reader.encoded_entries` of it before the new ones. Memory stays at about twice the size of the list.
    Raises InputError (``crl.number``, ``crl.time``, ``crl.validity``, ``crl.signer``), RefusedError ``crl.key_usage``
    where the issuer's key usage forbids signing lists, and what the signer raises.
    """
    _admit_issuer(issuer_certificate, signer)
    if not 0 <= number < _TOO_LARGE:
        raise InputError("crl.number", f"CRL number must be from 0 to 2^159 - 1: {number}")
    if next_update <= this_update:
        raise InputError("crl.validity", f"next update {next_update} is not after this update {this_update}")
    fields = b"".join(
        (
            _VERSION_2,
            signer.signature_algorithm,
            _subject(issuer_certificate),
            _time(this_update),
            _time(next_update),
        )
    )
    to_be_signed = _to_be_signed(fields, entries, _extensions(issuer_certificate, number))
    tail = signer.signature_algorithm + der.bit_string(signer.sign(to_be_signed))
    return b"".join((der.header(der.SEQUENCE, len(to_be_signed) + len(tail)), to_be_signed, tail))


def to_pem(crl: bytes) -> bytes:
    """Return a DER list as PEM (RFC 7468 section 4), lists of tens of megabytes too."""
    lines = bytearray(b"-----BEGIN X509 CRL-----\n")
    view = memoryview(crl)
    step = 48 * _AT_ONCE  # 48 octets are one line of 64 characters
    for block in (view[at : at + step] for at in range(0, len(crl), step)):
        lines += b"".join([binascii.b2a_base64(block[at : at + 48]) for at in range(0, len(block), 48)])
    lines += b"-----END X509 CRL-----\n"
    return bytes(lines)


def _to_be_signed(fields: bytes, entries: Iterable[bytes | memoryview], extensions: bytes) -> bytes:
    remaining = iter(entries)
    body = [next(remaining, b"")]  # perhaps all of an older list, which is not copied once more
    while chunk := list(islice(remaining, _AT_ONCE)):
        body.append(b"".join(chunk))
    octets = sum(map(len, body))
    # RFC 5280 5.1.2.6: without revoked certificates the list of them is absent, not empty
    list_header = der.header(der.SEQUENCE, octets) if octets else b""
    length = len(fields) + len(list_header) + octets + len(extensions)
    return b"".join((der.header(der.SEQUENCE, length), fields, list_header, *body, extensions))


def _extensions(issuer_certificate: x509.Certificate, number: int) -> bytes:
    key_identifier = der.wrap(0x80, subject_key_identifier(issuer_certificate).digest)
    values = (
        der.extension("2.5.29.35", der.sequence(key_identifier), critical=False),
        der.extension("2.5.29.20", der.integer(number), critical=False),
    )
    return der.extensions(values, tag=0)


def _subject(certificate: x509.Certificate) -> bytes:
    """Return the subject byte for byte as the certificate has it: names are compared that way by some."""
    fields = der_reader.read(certificate.tbs_certificate_bytes).children()
    versioned = fields[0].tag == 0xA0  # noqa: PLR2004 - [0] EXPLICIT Version, absent in version 1
    return fields[5 if versioned else 4].whole


def _admit_issuer(certificate: x509.Certificate, signer: Signer) -> None:
    if certificate.public_key() != signer.public_key:
        raise InputError("crl.signer", f"the key is not that of the issuer: {show_subject(certificate.subject)}")
    usage = extension_in(certificate.extensions, x509.KeyUsage)
    if usage is not None and not usage.crl_sign:
        raise RefusedError(
            "crl.key_usage",
            f"key usage of the issuer lacks cRLSign: {show_subject(certificate.subject)}",
            hint="nginx would refuse every certificate under such a list; use a CA certificate with cRLSign",
        )


def _time(moment: datetime) -> bytes:
    if moment.utcoffset() is None:
        raise InputError("crl.time", f"time without a zone: {moment}")
    return der.time(moment.astimezone(UTC))
