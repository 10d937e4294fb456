"""The value of each known extension, in lines of words (RFC 5280 4.2 and 5.2, RFC 6962 3.3, RFC 7633)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cryptography import x509

from counterseal.moments import show_moment
from counterseal.pki.describe.oids import oid_name
from counterseal.pki.describe.purpose import KEY_USAGES, USAGES
from counterseal.pki.describe.strings import text_of
from counterseal.pki.names import show_name
from counterseal.pki.shown import printable, show_serial

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


def _basic_constraints(value: x509.BasicConstraints) -> Iterator[str]:
    if not value.ca:
        yield "no CA"
    elif value.path_length is None:
        yield "a CA, with any number of CAs below it"
    else:
        yield (f"a CA, with at most {value.path_length} below it" if value.path_length else "a CA, with no CA below it")


def _key_usage(value: x509.KeyUsage) -> Iterator[str]:
    yield ", ".join(key_usages(value)) or "none"


def key_usages(value: x509.KeyUsage) -> list[str]:
    """Return the usages that are set, in RFC 5280's words and order."""
    return [words for attribute, words in KEY_USAGES.items() if _is_set(value, attribute)]


def _is_set(value: x509.KeyUsage, attribute: str) -> bool:
    if attribute in {"encipher_only", "decipher_only"} and not value.key_agreement:
        return False  # the library raises: they mean nothing without keyAgreement
    return bool(getattr(value, attribute))


def _extended_key_usage(value: x509.ExtendedKeyUsage) -> Iterator[str]:
    for usage in value:
        dotted, words = usage.dotted_string, USAGES.get(usage)
        yield f"{oid_name(dotted)} ({words})" if words else _with_number(dotted)


def _with_number(dotted: str) -> str:
    name = oid_name(dotted)
    return dotted if name == dotted else f"{name} ({dotted})"


def _names(value: Iterable[x509.GeneralName]) -> Iterator[str]:
    yield from (show_any_name(name) for name in value)


def show_any_name(name: x509.GeneralName) -> str:
    """Return a name of any kind in words; of the kinds that are never issued here, as much as can be told."""
    if not isinstance(name, x509.OtherName):
        return show_name(name)
    return f"other:{_with_number(name.type_id.dotted_string)} {text_of(name.value) or name.value.hex()}"


def _subject_key_identifier(value: x509.SubjectKeyIdentifier) -> Iterator[str]:
    yield value.digest.hex()


def _authority_key_identifier(value: x509.AuthorityKeyIdentifier) -> Iterator[str]:
    if value.key_identifier is not None:
        yield value.key_identifier.hex()
    for name in value.authority_cert_issuer or ():
        yield f"issuer {show_name(name)}"
    if value.authority_cert_serial_number is not None:
        yield f"serial number {show_serial(value.authority_cert_serial_number)}"


def _name_constraints(value: x509.NameConstraints) -> Iterator[str]:
    yield from (f"permitted {show_name(name)}" for name in value.permitted_subtrees or ())
    yield from (f"excluded {show_name(name)}" for name in value.excluded_subtrees or ())


def _access(value: Iterable[x509.AccessDescription]) -> Iterator[str]:
    for one in value:
        yield f"{oid_name(one.access_method.dotted_string)} {show_name(one.access_location)}"


def _distribution_points(value: Iterable[x509.DistributionPoint]) -> Iterator[str]:
    for point in value:
        parts = [show_name(name) for name in point.full_name or ()]
        parts += ["relative to the issuer"] if point.relative_name else []
        parts += [f"issued by {show_name(name)}" for name in point.crl_issuer or ()]
        parts += [f"only {_reasons(point.reasons)}"] if point.reasons else []
        yield ", ".join(parts) or "an empty point"


def _reasons(reasons: Iterable[x509.ReasonFlags]) -> str:
    return ", ".join(sorted(reason.value for reason in reasons))


def _issuing_distribution_point(value: x509.IssuingDistributionPoint) -> Iterator[str]:
    yield from (show_name(name) for name in value.full_name or ())
    flags = {
        "only_contains_user_certs": "only end-entity certificates",
        "only_contains_ca_certs": "only CA certificates",
        "only_contains_attribute_certs": "only attribute certificates",
        "indirect_crl": "indirect: also certificates of other issuers",
    }
    yield from (words for attribute, words in flags.items() if getattr(value, attribute))
    if value.only_some_reasons:
        yield f"only {_reasons(value.only_some_reasons)}"


def _policies(value: Iterable[x509.PolicyInformation]) -> Iterator[str]:
    for policy in value:
        yield _with_number(policy.policy_identifier.dotted_string)
        for qualifier in policy.policy_qualifiers or ():
            if isinstance(qualifier, str):
                yield f"  practice statement {printable(qualifier)}"
            elif qualifier.explicit_text:
                yield f'  notice "{printable(qualifier.explicit_text)}"'


def _policy_constraints(value: x509.PolicyConstraints) -> Iterator[str]:
    if value.require_explicit_policy is not None:
        yield f"an explicit policy is required after {value.require_explicit_policy} certificates"
    if value.inhibit_policy_mapping is not None:
        yield f"policy mapping is inhibited after {value.inhibit_policy_mapping} certificates"


def _timestamps(value: Iterable[Any]) -> Iterator[str]:
    for timestamp in value:
        yield f"log {timestamp.log_id.hex()} at {timestamp.timestamp:%Y-%m-%d %H:%M:%S} UTC"


def _tls_features(value: x509.TLSFeature) -> Iterator[str]:
    for feature in value:
        if feature is x509.TLSFeatureType.status_request:
            yield "status_request: the server must staple an OCSP response (must-staple); Firefox refuses it without"
            yield "nginx needs ssl_stapling on, the issuer in ssl_certificate, a resolver, and a responder's URL here"
        else:
            yield feature.name


def _usage_period(value: x509.PrivateKeyUsagePeriod) -> Iterator[str]:
    yield from (f"from {show_moment(value.not_before)}",) if value.not_before else ()
    yield from (f"until {show_moment(value.not_after)}",) if value.not_after else ()


def _template(value: x509.MSCertificateTemplate) -> Iterator[str]:
    version = "" if value.major_version is None else f", version {value.major_version}.{value.minor_version or 0}"
    yield f"{value.template_id.dotted_string}{version}"


WORDS: dict[type[x509.ExtensionType], Callable[[Any], Iterable[str]]] = {
    x509.BasicConstraints: _basic_constraints,
    x509.KeyUsage: _key_usage,
    x509.ExtendedKeyUsage: _extended_key_usage,
    x509.SubjectAlternativeName: _names,
    x509.IssuerAlternativeName: _names,
    x509.SubjectKeyIdentifier: _subject_key_identifier,
    x509.AuthorityKeyIdentifier: _authority_key_identifier,
    x509.NameConstraints: _name_constraints,
    x509.AuthorityInformationAccess: _access,
    x509.SubjectInformationAccess: _access,
    x509.CRLDistributionPoints: _distribution_points,
    x509.FreshestCRL: _distribution_points,
    x509.IssuingDistributionPoint: _issuing_distribution_point,
    x509.CertificatePolicies: _policies,
    x509.PolicyConstraints: _policy_constraints,
    x509.InhibitAnyPolicy: lambda value: [f"anyPolicy does not count after {value.skip_certs} certificates"],
    x509.PrecertificateSignedCertificateTimestamps: _timestamps,
    x509.SignedCertificateTimestamps: _timestamps,
    x509.PrecertPoison: lambda _: ["a precertificate: no client accepts it"],
    x509.OCSPNoCheck: lambda _: ["this certificate's own revocation is not checked"],
    x509.TLSFeature: _tls_features,
    x509.PrivateKeyUsagePeriod: _usage_period,
    x509.MSCertificateTemplate: _template,
    x509.CRLNumber: lambda value: [str(value.crl_number)],
    x509.DeltaCRLIndicator: lambda value: [f"changes since CRL {value.crl_number}"],
}
