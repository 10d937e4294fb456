"""Every rule about certificates fires on one with one thing wrong, and is silent where that thing is right."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from counterseal.pki import der
from counterseal.pki.lint import RULES, lint, lint_finished
from counterseal.pki.lint.finished import FINISHED_RULES
from counterseal.pki.lint.linted import Linted
from lint_samples import KEY, Sample, ca_sample, edited, name
from pki_fixtures import Issued, key_of, make_ca, pki

PKI = pki()
AT = datetime(2025, 4, 1, tzinfo=UTC)
ROOT, SERVER_CA = PKI.root.certificate, PKI.server_ca.certificate
BELOW_SERVER_CA, BELOW_ROOT = (SERVER_CA, ROOT), (ROOT,)
ANY, CLIENT, SERVER = (
    ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
    ExtendedKeyUsageOID.CLIENT_AUTH,
    ExtendedKeyUsageOID.SERVER_AUTH,
)
GOOD = Sample().made()
NO_SUBJECT, NOBODY = x509.Name([]), x509.SubjectAlternativeName([])
DNS = x509.DNSName("a.example")
STAPLE = (x509.TLSFeature([x509.TLSFeatureType.status_request]), False)
CA_ISSUERS, OCSP = AuthorityInformationAccessOID.CA_ISSUERS, AuthorityInformationAccessOID.OCSP
UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.9999"), b"\x05\x00")
CONSTRAINTS = x509.NameConstraints([x509.DNSName("other")], None)
KEY_ID = x509.SubjectKeyIdentifier.from_public_key(KEY.public_key()).digest


@dataclass(frozen=True)
class Case:
    """What fires, what it says, and what is like it but right; a path each."""

    fires: x509.Certificate
    codes: tuple[str, ...]
    silent: x509.Certificate = GOOD
    path: tuple[x509.Certificate, ...] = BELOW_SERVER_CA
    silent_path: tuple[x509.Certificate, ...] = BELOW_SERVER_CA


def access(method: ObjectIdentifier) -> tuple[x509.ExtensionType, bool]:
    """Return the extension that names one place for this."""
    place = x509.UniformResourceIdentifier("http://pki.test")
    return x509.AuthorityInformationAccess([x509.AccessDescription(method, place)]), False


def _usage(**changes: bool) -> x509.KeyUsage:
    usages = dict.fromkeys(
        (
            *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
            *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
        ),
        False,
    )
    return x509.KeyUsage(**{**usages, **changes})


def _changed(value: x509.ExtensionType, *, critical: bool) -> Sample:
    return Sample(changed={type(value): (value, critical)})


def _without(kind: type[x509.ExtensionType], sample: Sample | None = None) -> x509.Certificate:
    chosen = sample or Sample()
    return replace(chosen, changed={**chosen.changed, kind: None}).made()


def _ca(sample: Sample) -> Issued:
    return Issued(sample.made(), sample.key)


def _below(ca: Issued, **changes: object) -> tuple[x509.Certificate, tuple[x509.Certificate, ...]]:
    return replace(Sample(issuer=ca), **changes).made(), (ca.certificate, ROOT)  # type: ignore[arg-type] # fields


def _validity(begin: bytes, end: bytes) -> x509.Certificate:
    return edited(Sample().made(), {4: der.sequence(begin, end)})


def _twice() -> x509.Certificate:
    one = der.extension("2.5.29.14", der.octet_string(b"\x01"), critical=False)
    return edited(Sample().made(), {7: der.extensions([one, one], tag=3)})


def _signed_with_sha1(issuer: Issued, subject: x509.Name) -> x509.Certificate:
    """Return one that says SHA-1, which the library does not sign with: the signature is that of SHA-256."""
    algorithm = der.sequence(der.object_identifier("1.2.840.10045.4.1"))
    made = Sample(issuer=issuer, subject=subject).made()
    body = edited(made, {2: algorithm}).tbs_certificate_bytes
    return x509.load_der_x509_certificate(der.sequence(body, algorithm, der.bit_string(made.signature)))


GOOD_CA = ca_sample().made()
CONSTRAINED = _ca(ca_sample(more=((CONSTRAINTS, True),)))
PERMITTING = _ca(ca_sample(more=((x509.NameConstraints([x509.DNSName("example")], None), True),)))
NO_CA = _ca(replace(ca_sample(), changed={}, key_usage=_usage(crl_sign=True)))
CLIENT_CA = _ca(ca_sample(usages=(CLIENT,)))
DEEP = _ca(ca_sample(issuer=PKI.server_ca))
LONG = Sample(end=AT + timedelta(days=900))

CASES: dict[str, list[Case]] = {
    "readable_extensions": [Case(_twice(), ("lint.extensions",))],
    "serial_number": [
        Case(edited(Sample().made(), {1: der.integer(0)}), ("lint.serial",)),
        Case(edited(Sample().made(), {1: der.integer(1 << 160)}), ("lint.serial",)),
        Case(Sample(serial_number=4711).made(), ("lint.serial_short",), edited(ROOT, {1: der.integer(1)})),
    ],
    "validity": [Case(_validity(der.time(AT), der.time(AT)), ("lint.validity",))],
    "lifetime_within_issuer": [
        Case(Sample(end=datetime(2051, 1, 1, tzinfo=UTC)).made(), ("lint.outlives_issuer",)),
    ],
    "server_lifetime": [Case(LONG.made(), ("lint.server_lifetime",), replace(LONG, usages=(CLIENT,)).made())],
    "key_strength": [Case(Sample(key=key_of("secp256k1")).made(), ("key.unsuitable",))],
    "server_key": [
        *(
            Case(
                Sample(key=key_of(kind)).made(), ("lint.server_key",), Sample(key=key_of(kind), usages=(CLIENT,)).made()
            )
            for kind in ("ed25519", "ed448", "p-521")
        ),
        *(
            Case(
                Sample().made(),
                ("lint.server_key",),
                Sample(usages=(CLIENT,)).made(),
                path=(ca_sample(key=key_of(kind)).made(), ROOT),
                silent_path=(ca_sample(key=key_of(kind)).made(), ROOT),
            )
            for kind in ("ed25519", "ed448")
        ),
    ],
    "signature_algorithm": [
        Case(
            _signed_with_sha1(PKI.root, name((NameOID.COMMON_NAME, "x"))),
            ("lint.signature_weak",),
        ),
        Case(_signed_with_sha1(PKI.root, ROOT.subject), ("lint.signature_weak",), path=()),
    ],
    "issuer_name": [Case(Sample().made(), ("lint.issuer_name",), path=BELOW_ROOT)],
    "authority_key_identifier": [
        Case(_without(x509.AuthorityKeyIdentifier), ("lint.aki_missing",), PKI.lone_root.certificate, silent_path=()),
        Case(_changed(x509.AuthorityKeyIdentifier(b"\x01", None, None), critical=False).made(), ("lint.aki",)),
    ],
    "subject_present": [
        Case(
            replace(_changed(x509.SubjectAlternativeName([DNS]), critical=False), subject=NO_SUBJECT).made(),
            ("lint.subject_empty",),
            Sample(subject=NO_SUBJECT).made(),
        ),
        Case(ca_sample(subject=NO_SUBJECT).made(), ("lint.subject_empty",), path=BELOW_ROOT),
    ],
    "control_characters": [
        Case(Sample(subject=name((NameOID.COMMON_NAME, "a\x07b"))).made(), ("lint.control_character",)),
    ],
    "name_syntax": [
        Case(
            Sample(names=(x509.DNSName("a_b.example"),)).made(),
            ("lint.name_syntax",),
            Sample(names=(DNS, x509.RegisteredID(x509.ObjectIdentifier("1.2.3")))).made(),
        )
    ],
    "server_has_name": [
        Case(Sample(names=()).made(), ("lint.server_name",), Sample(names=(), usages=(CLIENT,)).made()),
    ],
    "common_name_repeated": [
        Case(Sample(subject=name((NameOID.COMMON_NAME, "b.example"))).made(), ("lint.common_name",)),
    ],
    "wildcard_reach": [
        Case(
            Sample(names=(x509.DNSName(short), DNS)).made(),
            ("lint.wildcard",),
            Sample(names=(x509.DNSName(long), DNS)).made(),
        )
        for short, long in (("*.lan", "*.home.lan"), ("*.HOME.arpa", "*.lab.home.arpa"))
    ],
    "name_constraints": [
        Case(
            *_below(CONSTRAINED)[:1],
            ("lint.name_constraint",),
            *_below(PERMITTING)[:1],
            *_below(CONSTRAINED)[1:],
            *_below(PERMITTING)[1:],
        ),
    ],
    "basic_constraints": [
        Case(
            ca_sample(changed={x509.BasicConstraints: (x509.BasicConstraints(True, 0), False)}).made(),
            ("lint.basic_constraints",),
            GOOD_CA,
        )
    ],
    "issuer_may_sign": [
        Case(_below(NO_CA)[0], ("lint.issuer_not_ca", "lint.issuer_key_usage"), path=_below(NO_CA)[1]),
    ],
    "path_length": [
        Case(DEEP.certificate, ("lint.path_length",) * 2, GOOD_CA, BELOW_SERVER_CA, BELOW_ROOT),
    ],
    "usage_along_path": [
        Case(_below(CLIENT_CA)[0], ("lint.usage_path",), path=_below(CLIENT_CA)[1]),
    ],
    "any_usage": [Case(Sample(usages=(SERVER, ANY)).made(), ("lint.any_usage",))],
    "stapling": [
        Case(Sample(more=(STAPLE,)).made(), ("lint.must_staple",)),
        Case(
            Sample(more=(STAPLE, access(CA_ISSUERS))).made(),
            ("lint.must_staple",),
            Sample(more=(STAPLE, access(OCSP))).made(),
        ),
    ],
    "usage_present": [Case(Sample(usages=()).made(), ("lint.usage_missing",), GOOD_CA)],
    "key_usage": [
        Case(ca_sample(key_usage=None).made(), ("lint.key_usage",), GOOD_CA),
        Case(ca_sample(key_usage=_usage(crl_sign=True)).made(), ("lint.key_usage",), GOOD_CA),
        Case(Sample(key_usage=_usage(digital_signature=True, key_cert_sign=True)).made(), ("lint.key_usage",)),
        Case(Sample(key_usage=_usage(key_agreement=True)).made(), ("lint.key_usage",)),
        Case(
            Sample(key_usage=_usage(digital_signature=True, key_encipherment=True)).made(),
            ("lint.key_usage",),
            Sample(key=key_of("rsa-2048"), key_usage=_usage(digital_signature=True, key_encipherment=True)).made(),
        ),
    ],
    "version": [Case(edited(Sample().made(), {0: b"", 7: b""}), ("lint.version",))],
    "subject_values": [
        Case(Sample(subject=name((NameOID.COMMON_NAME, "a" * 65))).made(), ("lint.subject_value",)),
    ],
    "alternative_names_present": [Case(_changed(NOBODY, critical=False).made(), ("lint.names_empty",))],
    "alternative_names_once": [Case(Sample(names=(DNS, DNS)).made(), ("lint.names_repeated",))],
    "alternative_names_critical": [
        Case(
            _changed(x509.SubjectAlternativeName([DNS]), critical=True).made(),
            ("lint.names_critical",),
            Sample(subject=NO_SUBJECT).made(),
        )
    ],
    "never_critical": [
        Case(_changed(x509.SubjectKeyIdentifier(KEY_ID), critical=True).made(), ("lint.critical",)),
    ],
    "always_critical": [
        Case(
            ca_sample(more=((CONSTRAINTS, False),)).made(),
            ("lint.not_critical",),
            ca_sample(more=((CONSTRAINTS, True),)).made(),
        )
    ],
    "unknown_critical": [
        Case(
            Sample(more=((UNKNOWN, True),)).made(), ("lint.unknown_critical",), Sample(more=((UNKNOWN, False),)).made()
        ),
    ],
    "subject_key_identifier_present": [
        Case(
            _without(x509.SubjectKeyIdentifier, ca_sample()), ("lint.ski_missing",), _without(x509.SubjectKeyIdentifier)
        ),
    ],
    "authority_key_identifier_form": [
        Case(
            _changed(x509.AuthorityKeyIdentifier(KEY_ID, [x509.DirectoryName(ROOT.subject)], 7), critical=False).made(),
            ("lint.aki_form",),
        ),
        Case(
            _changed(x509.AuthorityKeyIdentifier(None, [x509.DirectoryName(ROOT.subject)], 7), critical=False).made(),
            ("lint.aki_form", "lint.aki_form"),
        ),
    ],
    "key_usage_form": [
        Case(
            _changed(_usage(digital_signature=True), critical=False).made(),
            ("lint.key_usage_critical",),
        ),
        Case(Sample(key_usage=_usage()).made(), ("lint.key_usage_empty",)),
    ],
    "crl_signing": [Case(ca_sample(key_usage=_usage(key_cert_sign=True)).made(), ("lint.crl_sign",), GOOD_CA)],
    "constraints_of_ca": [
        Case(Sample(more=((CONSTRAINTS, True),)).made(), ("lint.constraints_of_ca",), CONSTRAINED.certificate),
    ],
    "current": [
        Case(
            Sample(begin=datetime(2025, 3, 1, tzinfo=UTC), end=datetime(2025, 3, 2, tzinfo=UTC)).made(),
            ("lint.expired",),
        ),
        Case(Sample(begin=datetime(2025, 4, 2, tzinfo=UTC)).made(), ("lint.not_yet_valid",)),
        Case(Sample(end=AT + timedelta(days=1)).made(), ("lint.expires_soon",)),
    ],
    "signature": [
        Case(edited(Sample().made(), {1: der.integer(5)}), ("lint.signature_invalid",)),
        Case(edited(ROOT, {1: der.integer(5)}), ("lint.signature_invalid",), ROOT, (), ()),
    ],
    "one_algorithm": [
        Case(
            edited(Sample().made(), {2: der.sequence(der.object_identifier("1.2.840.10045.4.3.3"))}),
            ("lint.algorithms",),
        ),
    ],
    "date_encoding": [
        Case(
            _validity(der.time(AT), der.wrap(der.GENERALIZED_TIME, b"20260101000000Z")),
            ("lint.date_encoding",),
            PKI.root.certificate,
        ),
    ],
    "unique_identifiers": [
        Case(edited(Sample().made(), {}, der.wrap(0x81, b"\x00\x01")), ("lint.unique_identifier",)),
    ],
}
BY_NAME = {rule.__name__: rule for rule in (*RULES, *FINISHED_RULES)}


@pytest.mark.parametrize(("rule", "case"), [(rule, case) for rule, cases in CASES.items() for case in cases])
def test_each_rule_fires_and_is_silent(rule: str, case: Case) -> None:
    """With its codes on the faulty one, with nothing on the right one."""
    with warnings.catch_warnings(action="ignore", category=UserWarning):  # the library's own, of serial numbers
        said = [finding.code for finding in BY_NAME[rule](Linted.of(case.fires, case.path, at=AT))]
        assert said == list(case.codes)
        assert list(BY_NAME[rule](Linted.of(case.silent, case.silent_path, at=AT))) == []


def test_every_rule_has_a_case() -> None:
    """A new rule is not forgotten."""
    assert set(CASES) == set(BY_NAME)


def test_good_certificates_pass_every_rule() -> None:
    """Server, CA and root, as drafts and as they stand."""
    for certificate, path in ((Sample().made(), BELOW_SERVER_CA), (GOOD_CA, BELOW_ROOT), (ROOT, ())):
        assert lint(certificate, path) == ()
        assert lint_finished(certificate, path, at=AT) == ()


def test_without_a_moment_nothing_is_said_about_dates() -> None:
    """A draft is not judged by a clock."""
    expired = Sample(end=datetime(2025, 3, 2, tzinfo=UTC)).made()
    assert list(BY_NAME["current"](Linted.of(expired, BELOW_SERVER_CA))) == []


def test_a_ca_of_the_same_name_and_another_key() -> None:
    """Its signature does not hold, which is what is said."""
    other = make_ca(name_of(SERVER_CA), PKI.root)
    said = lint_finished(Sample().made(), (other.certificate, ROOT), at=AT)
    assert {"lint.signature_invalid", "lint.aki"} <= {finding.code for finding in said}


def name_of(certificate: x509.Certificate) -> str:
    """Return the common name."""
    return str(certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)
