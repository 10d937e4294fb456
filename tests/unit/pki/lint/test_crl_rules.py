"""Every rule about revocation lists fires on a list with one thing wrong; a good list passes all."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from counterseal.errors import InputError
from counterseal.pki import der, der_reader
from counterseal.pki.crl import RevocationReason, encode_entry
from counterseal.pki.crl_reader import parse_facts
from counterseal.pki.extensions import read_extensions
from counterseal.pki.lint.crl import CRL_RULES, LintedCRL, lint_crl
from counterseal.pki.reading import load_crl
from lint_samples import ca_sample, edited
from pki_fixtures import key_of, pki

if TYPE_CHECKING:
    from pki_fixtures import PrivateKey

PKI = pki()
ROOT = PKI.root
AT = datetime(2026, 6, 1, tzinfo=UTC)
WEEK = timedelta(days=7)
KEY_ID = x509.SubjectKeyIdentifier.from_public_key(ROOT.private_key.public_key())
AKI = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(KEY_ID)
SILENT_CA = ca_sample(
    key_usage=x509.KeyUsage(False, False, False, False, False, True, False, False, False)
).made()  # without cRLSign


def _scope(**flags: object) -> tuple[x509.ExtensionType, bool]:
    nothing = {"full_name": [x509.UniformResourceIdentifier("http://c/")], "relative_name": None}
    others = ("only_contains_user_certs", "only_contains_ca_certs", "indirect_crl", "only_contains_attribute_certs")
    values = {**nothing, **dict.fromkeys(others, False), "only_some_reasons": None, **flags}
    return x509.IssuingDistributionPoint(**values), True  # type: ignore[arg-type] # by name


@dataclass(frozen=True)
class Sample:
    """A good list of the root; ``replace`` makes one thing wrong."""

    issuer: x509.Name = ROOT.certificate.subject
    key: PrivateKey = field(default_factory=lambda: ROOT.private_key)
    begin: datetime = AT - timedelta(days=1)
    end: datetime = AT + WEEK
    extensions: tuple[tuple[x509.ExtensionType, bool], ...] = ((AKI, False), (x509.CRLNumber(5), False))

    def made(self) -> bytes:
        """Return the list in DER, signed."""
        builder = x509.CertificateRevocationListBuilder().issuer_name(self.issuer)
        builder = builder.last_update(self.begin).next_update(self.end)
        for value, critical in self.extensions:
            builder = builder.add_extension(value, critical)
        return builder.sign(self.key, hashes.SHA256()).public_bytes(Encoding.DER)


def _with(extension: x509.ExtensionType, *, critical: bool = True) -> bytes:
    return replace(Sample(), extensions=(*Sample().extensions, (extension, critical))).made()


def _edited(fields: dict[int, bytes], *, algorithm: bytes | None = None) -> bytes:
    """Return a good list with fields of its TBSCertList replaced: 3 this update, 4 next update, 5 extensions."""
    body, outer, signature = der_reader.read(Sample().made()).children()
    parts = [fields.get(number, part.whole) for number, part in enumerate(body.children())]
    return der.sequence(der.sequence(*parts), algorithm or outer.whole, signature.whole)


def _entries(*entries: bytes) -> bytes:
    body = der_reader.read(Sample().made()).children()[0].children()
    return _edited({4: body[4].whole + der.sequence(*entries)})


def _sha1() -> bytes:
    algorithm = der.sequence(der.object_identifier("1.2.840.10045.4.1"))
    return _edited({1: algorithm}, algorithm=algorithm)


def _extensions_twice() -> bytes:
    one = der.extension("2.5.29.20", der.integer(1), critical=False)
    return _edited({5: der.extensions([one, one], tag=0)})


REMOVED = der.sequence(
    der.integer(9),
    der.time(AT),
    der.sequence(der.extension("2.5.29.21", der.enumerated(8), critical=False)),
)
UNSPECIFIED = der.sequence(
    der.integer(8),
    der.time(AT),
    der.sequence(der.extension("2.5.29.21", der.enumerated(0), critical=False)),
)
ENTRY = encode_entry(7, AT, reason=RevocationReason.SUPERSEDED)
NUMBER_ONLY = (Sample().extensions[1],)
CASES: dict[str, list[tuple[bytes, list[str]]]] = {
    "crl_extensions": [(_extensions_twice(), ["lint.crl_extensions"])],
    "crl_current": [
        (replace(Sample(), begin=AT - WEEK, end=AT - timedelta(1)).made(), ["lint.crl_expired"]),
        (replace(Sample(), begin=AT + timedelta(1)).made(), ["lint.crl_not_yet_valid"]),
        (replace(Sample(), end=AT + timedelta(hours=2)).made(), ["lint.crl_expires_soon"]),
    ],
    "crl_next_update": [
        (_edited({4: b""}), ["lint.crl_next_update"]),
        (_edited({4: der.time(AT - WEEK)}), ["lint.crl_next_update"]),
    ],
    "crl_date_encoding": [
        (_edited({4: der.wrap(der.GENERALIZED_TIME, b"20270101000000Z")}), ["lint.crl_date_encoding"])
    ],
    "crl_number": [
        (replace(Sample(), extensions=Sample().extensions[:1]).made(), ["lint.crl_number"]),
        (replace(Sample(), extensions=((AKI, False), (x509.CRLNumber(5), True))).made(), ["lint.crl_number"]),
        (replace(Sample(), extensions=((AKI, False), (x509.CRLNumber(1 << 159), False))).made(), ["lint.crl_number"]),
    ],
    "crl_authority_key_identifier": [
        (replace(Sample(), extensions=NUMBER_ONLY).made(), ["lint.crl_aki"]),
        (
            replace(
                Sample(), extensions=((x509.AuthorityKeyIdentifier(b"\x01", None, None), False), *NUMBER_ONLY)
            ).made(),
            ["lint.crl_aki"],
        ),
    ],
    "crl_issuer": [(replace(Sample(), issuer=x509.Name([])).made(), ["lint.crl_issuer"])],
    "crl_signature": [(replace(Sample(), key=key_of("p-256", 9)).made(), ["lint.crl_signature"])],
    "crl_signature_algorithm": [(_sha1(), ["lint.crl_signature_weak"])],
    "crl_complete": [
        (_with(x509.DeltaCRLIndicator(4)), ["lint.crl_delta"]),
        (_with(_scope(indirect_crl=True)[0]), ["lint.crl_partial"]),
        (_with(_scope(only_contains_user_certs=True)[0]), ["lint.crl_partial"]),
    ],
    "crl_entries": [(_entries(ENTRY, ENTRY), ["lint.crl_repeated"])],
    "crl_reasons": [(_entries(ENTRY, REMOVED, UNSPECIFIED), ["lint.crl_reason", "lint.crl_reason"])],
}
RULES = {rule.__name__: rule for rule in CRL_RULES}
GOOD = _entries(ENTRY, encode_entry(8, AT))


def _linted(content: bytes, issuer: x509.Certificate | None = None) -> LintedCRL:
    crl = load_crl(content)
    return LintedCRL(content, crl, parse_facts(content), *read_extensions(crl), AT, issuer or ROOT.certificate)


@pytest.mark.parametrize(("rule", "content", "codes"), [(r, *case) for r, cases in CASES.items() for case in cases])
def test_each_rule_fires(rule: str, content: bytes, codes: list[str]) -> None:
    """With its codes, and on the good list with none."""
    assert [finding.code for finding in RULES[rule](_linted(content))] == codes
    silent = Sample().made() if rule == "crl_signature" else GOOD
    assert list(RULES[rule](_linted(silent))) == []


def test_every_rule_has_a_case() -> None:
    """A new rule is not forgotten."""
    assert set(CASES) == set(RULES)


def test_an_issuer_that_may_not_sign_lists() -> None:
    """Its key usage lacks cRLSign."""
    assert "lint.crl_sign" in [finding.code for finding in RULES["crl_issuer"](_linted(GOOD, SILENT_CA))]


def test_a_good_list_passes_with_its_issuer_and_without() -> None:
    """What needs the issuer says nothing without."""
    assert lint_crl(Sample().made(), at=AT, issuer=ROOT.certificate) == ()
    assert lint_crl(Sample().made(), at=AT) == ()


def test_garbage_is_an_error() -> None:
    """No list, no verdict."""
    with pytest.raises(InputError, match="not a readable certificate revocation list"):
        lint_crl(b"\x30\x00", at=AT)


def test_an_unreadable_issuer_is_no_fault_of_the_list() -> None:
    """Its extensions cannot be read, so nothing is compared with them."""
    one = der.extension("2.5.29.14", der.octet_string(b"\x01"), critical=False)
    issuer = edited(ROOT.certificate, {7: der.extensions([one, one], tag=3)})
    assert lint_crl(Sample().made(), at=AT, issuer=issuer) == ()
