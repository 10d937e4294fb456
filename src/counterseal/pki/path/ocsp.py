"""Revocation by an OCSP response: whom it answers for, whether it may be believed, and what it says (RFC 6960 3.2).

The response was fetched or stapled elsewhere. It may be signed by the CA itself or by a delegate that the CA certified
for it (RFC 6960 4.2.2.2).
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.hashes import Hash
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from counterseal.duration import show_duration
from counterseal.moments import show_moment
from counterseal.pki import der_reader
from counterseal.pki.path import catalogue
from counterseal.pki.path.candidate import Candidate
from counterseal.pki.path.check import failed, passed, warned
from counterseal.pki.path.signature import is_signed, signature_fault
from counterseal.pki.shown import show_serial

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.pki.path.build import Path
    from counterseal.pki.path.check import Check
    from counterseal.pki.path.question import Question


def responses(path: Path, question: Question) -> Iterator[Check]:
    """Every OCSP response given answers for a certificate of the path, can be believed, and says good."""
    for response in question.ocsp:
        if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            text = f"the responder refused to answer: {response.response_status.name.lower()}"
            yield failed(catalogue.OCSP, None, text, section="RFC 6960 4.2.1")
            continue
        try:
            found = list(_answers(path, response, question))
        except UnsupportedAlgorithm as error:
            yield failed(catalogue.OCSP, None, f"it cannot be verified here: {error}")
            continue
        yield from found
        if not found:
            yield failed(catalogue.OCSP, None, "the response answers for none of the certificates of the path")


def _answers(path: Path, response: ocsp.OCSPResponse, question: Question) -> Iterator[Check]:
    for single in response.responses:
        for position, (subject, issuer) in enumerate(pairwise(path.members)):
            if _is_about(single, subject, issuer):
                yield from _believed(position, response, issuer, question)
                yield from _current(position, single, question)
                yield _status(position, single)


def _is_about(single: ocsp.OCSPSingleResponse, subject: Candidate, issuer: Candidate) -> bool:
    """Whether CertID names this certificate: serial number, and hashes of the issuer's name and key (4.1.1)."""
    if single.serial_number != subject.certificate.serial_number or issuer.subject is None or issuer.public_key is None:
        return False
    info = der_reader.read(issuer.public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).children()
    key = info[1].content[1:]  # without the count of unused bits
    named = [(issuer.subject.public_bytes(), single.issuer_name_hash), (key, single.issuer_key_hash)]
    return all(_digest(single, content) == expected for content, expected in named)


def _digest(single: ocsp.OCSPSingleResponse, content: bytes) -> bytes:
    digest = Hash(single.hash_algorithm)
    digest.update(content)
    return digest.finalize()


def _believed(position: int, response: ocsp.OCSPResponse, issuer: Candidate, question: Question) -> Iterator[Check]:
    by = (response.signature_hash_algorithm, None)
    if is_signed(response.tbs_response_bytes, response.signature, issuer.public_key, by):
        yield passed(catalogue.OCSP, position, f"signed by the CA itself, {issuer.name}")
        return
    for certificate in response.certificates:
        delegate = Candidate(certificate)
        if is_signed(response.tbs_response_bytes, response.signature, delegate.public_key, by):
            yield from _delegate(position, delegate, issuer, question)
            return
    yield failed(catalogue.OCSP, position, f"signed neither by {issuer.name} nor by a certificate in the response")


def _delegate(position: int, delegate: Candidate, issuer: Candidate, question: Question) -> Iterator[Check]:
    usages = delegate.value(x509.ExtendedKeyUsage) or ()
    certificate = delegate.certificate
    faults = []
    if delegate.issuer_key != issuer.subject_key or signature_fault(delegate, issuer) is not None:
        faults.append(f"it was not issued by {issuer.name}")
    if ExtendedKeyUsageOID.OCSP_SIGNING not in usages:
        faults.append("its extended key usage lacks OCSPSigning")
    if not certificate.not_valid_before_utc <= question.at <= certificate.not_valid_after_utc:
        faults.append(f"it is valid from {certificate.not_valid_before_utc} to {certificate.not_valid_after_utc}")
    for fault in faults:
        yield failed(catalogue.OCSP, position, f"signed by {delegate.name}: {fault}", section="RFC 6960 4.2.2.2")
    if not faults and delegate.value(x509.OCSPNoCheck) is None:
        text = f"signed by {delegate.name}, whose own revocation is not known (no id-pkix-ocsp-nocheck)"
        yield warned(catalogue.OCSP, position, text, section="RFC 6960 4.2.2.2.1")
    elif not faults:
        yield passed(catalogue.OCSP, position, f"signed by {delegate.name}, a delegate of {issuer.name}")


def _current(position: int, single: ocsp.OCSPSingleResponse, question: Question) -> Iterator[Check]:
    """3.2 (5), (6): this_update is not in the future, next_update not in the past."""
    if single.this_update_utc > question.at:
        yield failed(catalogue.OCSP, position, f"its this_update lies in the future: {single.this_update_utc}")
    if single.next_update_utc is None:
        yield warned(catalogue.OCSP, position, "it has no next_update, so nobody can tell whether it is fresh")
    elif single.next_update_utc < question.at:
        ago = show_duration(question.at - single.next_update_utc)
        yield failed(catalogue.OCSP, position, f"expired: its next_update was {single.next_update_utc}, {ago} ago")
    else:
        left = show_duration(single.next_update_utc - question.at)
        yield passed(catalogue.OCSP, position, f"from {show_moment(single.this_update_utc)}, {left} left")


def _status(position: int, single: ocsp.OCSPSingleResponse) -> Check:
    serial = f"serial number {show_serial(single.serial_number)}"
    if single.certificate_status is ocsp.OCSPCertStatus.GOOD:
        return passed(catalogue.REVOCATION, position, f"OCSP: good, {serial}")
    if single.certificate_status is ocsp.OCSPCertStatus.UNKNOWN:
        text = f"OCSP: unknown, {serial}: the responder does not know this certificate"
        return failed(catalogue.REVOCATION, position, text, section="RFC 6960 2.2")
    reason = f", {single.revocation_reason.value}" if single.revocation_reason else ""
    at, text = single.revocation_time_utc, "OCSP: revoked at {}{}: {}"
    return failed(catalogue.REVOCATION, position, text, at, reason, serial, section="RFC 6960 2.2")
