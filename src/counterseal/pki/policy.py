"""Policy: may this be issued as asked? Decided once, here, for every edge; every reason is given, not the first.

It knows profiles and issuers and nothing of who asks or how; the serial number and the time are handed in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from counterseal.errors import InputError, RefusedError
from counterseal.findings import Finding, Severity
from counterseal.pki.certificate import IssuanceRequest
from counterseal.pki.keys import key_spec_of, weaknesses
from counterseal.pki.names import check_name, kind_of, show_name
from counterseal.pki.profile import PROBE_GROUP, Purpose
from counterseal.pki.subject import has_control_characters, organizational_units, show_subject

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

    from counterseal.pki.certificate import Issuer
    from counterseal.pki.profile import Profile

BACKDATE = timedelta(minutes=5)
"""A new certificate is dated this far back, so that a peer whose clock is a little slow accepts it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asks for. ``lifetime`` None means the profile's; ``not_before`` is only for probes."""

    profile: Profile
    subject: x509.Name
    names: tuple[x509.GeneralName, ...]
    public_key: CertificatePublicKeyTypes
    lifetime: timedelta | None = None
    not_before: datetime | None = None


def decide(asked: Asked, issuer: Issuer, *, serial_number: int, now: datetime) -> IssuanceRequest:
    """Return what will be issued; raises RefusedError ``policy.refused`` with every reason."""
    reasons = tuple(_reasons(asked, issuer, now))
    if reasons:
        raise RefusedError(
            "policy.refused",
            f"refused by profile {asked.profile.name!r}: {show_subject(asked.subject) or _show_names(asked)}",
            findings=reasons,
        )
    not_before = asked.not_before or max(now - BACKDATE, issuer.certificate.not_valid_before_utc)
    not_before = not_before.replace(microsecond=0)
    return IssuanceRequest(
        profile=asked.profile,
        subject=asked.subject,
        names=asked.names,
        public_key=asked.public_key,
        not_before=not_before,
        not_after=_not_after(asked, not_before if asked.profile.probe else now.replace(microsecond=0)),
        serial_number=serial_number,
    )


def _not_after(asked: Asked, start: datetime) -> datetime:
    return start + (asked.lifetime if asked.lifetime is not None else asked.profile.lifetime)


def _reasons(asked: Asked, issuer: Issuer, now: datetime) -> Iterator[Finding]:
    yield from _issuer_reasons(asked, issuer, now)
    yield from weaknesses(asked.public_key)
    yield from _key_reasons(asked)
    yield from _lifetime_reasons(asked, issuer, now)
    yield from _subject_reasons(asked)
    for name in asked.names:
        yield from _name_reasons(asked.profile, name)
    if asked.profile.requires_name and not asked.names:
        yield _no("policy.name_missing", f"profile {asked.profile.name!r} needs at least one DNS or IP name")


def _issuer_reasons(asked: Asked, issuer: Issuer, now: datetime) -> Iterator[Finding]:
    if issuer.purpose not in {asked.profile.purpose, Purpose.ANY}:
        yield _no(
            "policy.issuer_purpose",
            f"issuer {issuer.name!r} is for {issuer.purpose} certificates, not for profile {asked.profile.name!r}",
        )
    for certificate in issuer.path:
        shown = show_subject(certificate.subject)
        if now < certificate.not_valid_before_utc:
            yield _no(
                "policy.issuer_not_yet_valid",
                f"CA is not valid before {certificate.not_valid_before_utc:%Y-%m-%d %H:%M} UTC: {shown}",
                "check this machine's clock",
            )
        if now > certificate.not_valid_after_utc:
            yield _no(
                "policy.issuer_expired", f"CA expired on {certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC: {shown}"
            )


def _key_reasons(asked: Asked) -> Iterator[Finding]:
    spec = key_spec_of(asked.public_key)
    if spec and spec.bits and spec.bits < asked.profile.min_rsa_bits:
        yield _no(
            "policy.key",
            f"profile {asked.profile.name!r} needs RSA keys of {asked.profile.min_rsa_bits} bits, not {spec.bits}",
        )


def _lifetime_reasons(asked: Asked, issuer: Issuer, now: datetime) -> Iterator[Finding]:
    lifetime = asked.lifetime if asked.lifetime is not None else asked.profile.lifetime
    if lifetime <= timedelta(0):
        yield _no("policy.lifetime", f"lifetime is not positive: {lifetime}")
    elif lifetime > asked.profile.max_lifetime:
        yield _no(
            "policy.lifetime",
            f"lifetime {lifetime.days}d exceeds the {asked.profile.max_lifetime.days}d of profile {asked.profile.name}",
        )
    elif asked.not_before is None and now + lifetime > issuer.certificate.not_valid_after_utc:
        left = issuer.certificate.not_valid_after_utc - now
        yield _no(
            "policy.outlives_issuer",
            f"a lifetime of {lifetime.days}d would outlive issuer {issuer.name!r}, which ends in {left.days}d",
            f"use --lifetime {max(left.days, 0)}d or less, or add a new issuing CA",
        )


def _subject_reasons(asked: Asked) -> Iterator[Finding]:
    if has_control_characters(asked.subject):
        yield _no("policy.subject", f"control character in the subject: {show_subject(asked.subject)}")
    if PROBE_GROUP in organizational_units(asked.subject) and not asked.profile.probe:
        yield _no("policy.subject", f"OU={PROBE_GROUP} marks certificates made for a proof", "choose another group")
    if not asked.subject.rdns and not asked.names:
        yield _no("policy.subject", "neither a subject nor a name is given")


def _name_reasons(profile: Profile, name: x509.GeneralName) -> Iterator[Finding]:
    try:
        check_name(name)
    except InputError as error:
        yield _no("policy.name", error.message, error.hint)
        return
    shown, kind = show_name(name), kind_of(name)
    if kind not in profile.name_kinds:
        kinds = ", ".join(sorted(profile.name_kinds)) or "none"
        yield _no(
            "policy.name_kind",
            f"profile {profile.name!r} does not permit this kind of name: {shown}",
            f"permitted are {kinds}",
        )
        return
    if kind == "DNS" and str(name.value).startswith("*.") and not profile.wildcards:
        yield _no("policy.wildcard", f"profile {profile.name!r} does not permit wildcards: {shown}")
    if kind == "DNS" and profile.permitted_domains and not _within(str(name.value), profile.permitted_domains):
        permitted = ", ".join(profile.permitted_domains)
        yield _no(
            "policy.name_not_permitted",
            f"name not permitted by profile {profile.name!r}: {shown}",
            f"permitted are {permitted}",
        )


def _within(host: str, domains: tuple[str, ...]) -> bool:
    host = host.removeprefix("*.")
    return any(host == domain or host.endswith("." + domain) for domain in domains)


def _show_names(asked: Asked) -> str:
    return ", ".join(show_name(name) for name in asked.names)


def _no(code: str, message: str, hint: str | None = None) -> Finding:
    return Finding(code, Severity.CRITICAL, message, hint=hint)
