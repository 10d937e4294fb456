"""What files hold, in facts and findings: everything in them, what belongs together, and what is wrong.

Needs no CA. A password is asked for only where something is encrypted, and without one as much is told as can be known.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.serialization import Encoding

from counterseal.authority.inspect_piece import things_of
from counterseal.authority.inspected import GivenFile, InspectedFile, PrivateKeyFacts, Thing
from counterseal.findings import Finding, Severity
from counterseal.pki.describe.certificate import CertificateFacts
from counterseal.pki.describe.crl import CRLFacts
from counterseal.pki.describe.csr import CSRFacts
from counterseal.pki.lint import lint_finished
from counterseal.pki.lint.crl import lint_crl
from counterseal.pki.lint.csr import lint_csr
from counterseal.pki.reading import load_crl, load_csr
from counterseal.pki.recognise import recognise
from counterseal.pki.relations import Pool, arrangement, is_signed_by, order_findings
from counterseal.pki.shape import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from cryptography import x509

    from counterseal.pki.recognise import Piece

_WIDER_THAN_OWNER = 0o077


def inspect(
    files: Sequence[GivenFile],
    *,
    at: datetime,
    password: Callable[[str], bytes | None],
    known: Callable[[x509.Certificate], str | None] = lambda _: None,
    trusted: Iterable[x509.Certificate] = (),
    opinion: Callable[[Kind, bytes], tuple[Finding, ...]] | None = None,
) -> tuple[InspectedFile, ...]:
    """Return everything that the files hold, seen at the moment ``at``.

    ``password`` is asked with the place of each encrypted thing. ``trusted`` are issuers known beside those given, and
    ``known`` says what the CA of this machine knows of a certificate. ``opinion`` adds the findings of another linter
    about each certificate and list, which it is given in DER.
    """
    with warnings.catch_warnings(action="ignore", category=UserWarning):  # the findings say the same in words
        read = {file.name: list(_things(file, at=at, password=password)) for file in files}
        related = _Related([thing for things in read.values() for thing in things], trusted, at)
        return tuple(
            _file(file, [_judged(related.complete(thing, known), opinion) for thing in read[file.name]])
            for file in files
        )


def _things(file: GivenFile, *, at: datetime, password: Callable[[str], bytes | None]) -> Iterator[Thing]:
    pieces = recognise(file.content)
    for number, piece in enumerate(pieces, 1):
        place = file.name if len(pieces) == 1 else f"{file.name} #{number}"
        yield from things_of(piece, place, at=at, password=password)


class _Related:
    """What belongs together among all things."""

    def __init__(self, things: Sequence[Thing], trusted: Iterable[x509.Certificate], at: datetime) -> None:
        self._at = at
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
                issued_by=(self._places.get(issuer) or known(issuer)) if issuer else None,
                key_at=self._keys.get(_certified_key_of(thing) or ""),
                known_as=known(thing.certificate),
                findings=(*thing.findings, *lint_finished(thing.certificate, path, at=self._at)),
            )
        if isinstance(thing.facts, CRLFacts) and thing.piece:
            return self._complete_crl(thing, thing.piece, known)
        if isinstance(thing.facts, CSRFacts) and thing.piece:
            findings = lint_csr(load_csr(thing.piece, source=thing.place))
            key_at = self._keys.get(thing.facts.key.spki_sha256 or "")
            return replace(thing, key_at=key_at, findings=(*thing.findings, *findings))
        if (key := _private_key_of(thing)) and self._certified and key not in self._certified:
            message = "this private key belongs to none of the certificates and requests given"
            return replace(thing, findings=(*thing.findings, Finding("bundle.key_mismatch", Severity.HIGH, message)))
        return thing

    def _complete_crl(self, thing: Thing, piece: Piece, known: Callable[[x509.Certificate], str | None]) -> Thing:
        """Look for the CA by name and signature; one that has the name alone is held against the list."""
        crl = load_crl(piece.content)
        named = list(self._pool.named(crl.issuer.public_bytes()))
        signer = next((one for one in named if is_signed_by(crl, one)), None)
        findings = lint_crl(piece.content, at=self._at, issuer=signer or next(iter(named), None))
        place = (self._places.get(signer) or known(signer)) if signer else None
        return replace(thing, issued_by=place, findings=(*thing.findings, *findings))


def _judged(thing: Thing, opinion: Callable[[Kind, bytes], tuple[Finding, ...]] | None) -> Thing:
    if thing.certificate is not None:
        content: bytes | None = thing.certificate.public_bytes(Encoding.DER)
    else:
        content = thing.piece.content if thing.piece else None
    if opinion is None or content is None or thing.facts is None:
        return thing
    return replace(thing, findings=(*thing.findings, *opinion(thing.kind, content)))


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
