"""What files hold, in facts and findings: everything in them, what belongs together, and what is wrong.

Needs no CA. A password is asked for only where something is encrypted, and without one as much is told as can be known.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING

from counterseal.authority.inspect_piece import things_of
from counterseal.authority.inspected import GivenFile, InspectedFile, PrivateKeyFacts, Thing
from counterseal.findings import Finding, Severity
from counterseal.pki.describe.certificate import CertificateFacts
from counterseal.pki.describe.csr import CSRFacts
from counterseal.pki.lint import lint
from counterseal.pki.reading import load_crl
from counterseal.pki.recognise import recognise
from counterseal.pki.relations import Pool, arrangement, is_signed_by, order_findings
from counterseal.pki.shape import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from cryptography import x509

_WIDER_THAN_OWNER = 0o077


def inspect(
    files: Sequence[GivenFile],
    *,
    at: datetime,
    password: Callable[[str], bytes | None],
    known: Callable[[x509.Certificate], str | None] = lambda _: None,
    trusted: Iterable[x509.Certificate] = (),
) -> tuple[InspectedFile, ...]:
    """Return everything that the files hold, seen at the moment ``at``.

    ``password`` is asked with the place of each encrypted thing. ``trusted`` are issuers known beside those given, and
    ``known`` says what the CA of this machine knows of a certificate.
    """
    with warnings.catch_warnings(action="ignore", category=UserWarning):  # the findings say the same in words
        read = {file.name: list(_things(file, at=at, password=password)) for file in files}
        related = _Related([thing for things in read.values() for thing in things], trusted)
        return tuple(_file(file, [related.complete(thing, known) for thing in read[file.name]]) for file in files)


def _things(file: GivenFile, *, at: datetime, password: Callable[[str], bytes | None]) -> Iterator[Thing]:
    pieces = recognise(file.content)
    for number, piece in enumerate(pieces, 1):
        place = file.name if len(pieces) == 1 else f"{file.name} #{number}"
        yield from things_of(piece, place, at=at, password=password)


class _Related:
    """What belongs together among all things."""

    def __init__(self, things: Sequence[Thing], trusted: Iterable[x509.Certificate]) -> None:
        certificates = [thing.certificate for thing in things if thing.certificate]
        self._pool = Pool([*certificates, *trusted])
        self._places = {thing.certificate: thing.place for thing in reversed(things) if thing.certificate}
        self._keys = {key: thing.place for thing in things if (key := _private_key_of(thing))}
        self._certified = {key for thing in things if (key := _certified_key_of(thing))}

    def complete(self, thing: Thing, known: Callable[[x509.Certificate], str | None]) -> Thing:
        """Return the thing with its issuer, its key and what is wrong with it."""
        if thing.certificate is not None:
            issuer, path = self._pool.issuer_of(thing.certificate), self._pool.path_of(thing.certificate)
            return replace(
                thing,
                issued_by=self._places.get(issuer) if issuer else None,
                key_at=self._keys.get(_certified_key_of(thing) or ""),
                known_as=known(thing.certificate),
                findings=(*thing.findings, *lint(thing.certificate, path)),
            )
        if thing.kind is Kind.CRL and thing.piece and thing.facts:
            return replace(thing, issued_by=self._place_of_signer(thing.piece.content))
        if isinstance(thing.facts, CSRFacts):
            return replace(thing, key_at=self._keys.get(thing.facts.key.spki_sha256 or ""))
        if (key := _private_key_of(thing)) and self._certified and key not in self._certified:
            message = "this private key belongs to none of the certificates and requests given"
            return replace(thing, findings=(*thing.findings, Finding("bundle.key_mismatch", Severity.HIGH, message)))
        return thing

    def _place_of_signer(self, content: bytes) -> str | None:
        crl = load_crl(content)
        signers = (one for one in self._pool.named(crl.issuer.public_bytes()) if is_signed_by(crl, one))
        return next((self._places.get(one) for one in signers), None)


def _file(file: GivenFile, things: list[Thing]) -> InspectedFile:
    certificates = [thing.certificate for thing in things if thing.certificate and _stands_in_order(thing)]
    together, findings = arrangement(certificates), [*order_findings(certificates)]
    if any(thing.kind is Kind.PRIVATE_KEY and not thing.part_of for thing in things) and _is_wide(file):
        findings.append(
            Finding(
                "file.mode",
                Severity.HIGH,
                f"others can read this private key: {file.name} (mode {file.mode:04o})",
                hint=f"chmod 600 {file.name}",
            )
        )
    return InspectedFile(file.name, len(file.content), tuple(things), together, tuple(findings))


def _stands_in_order(thing: Thing) -> bool:
    """Whether its place in the file means anything: inside a PKCS#7 or PKCS#12 it does not."""
    return thing.part_of is None


def _is_wide(file: GivenFile) -> bool:
    return file.mode is not None and file.mode & _WIDER_THAN_OWNER != 0


def _private_key_of(thing: Thing) -> str | None:
    return thing.facts.key.spki_sha256 if isinstance(thing.facts, PrivateKeyFacts) and thing.facts.key else None


def _certified_key_of(thing: Thing) -> str | None:
    return thing.facts.key.spki_sha256 if isinstance(thing.facts, CertificateFacts | CSRFacts) else None
