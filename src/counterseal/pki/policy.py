"""Policy: may this be issued as asked? Decided once, here, for every edge; every reason is given, not the first.

It knows profiles and issuers and nothing of who asks or how; the serial number and the time are handed in.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from counterseal.duration import show_duration
from counterseal.errors import InputError, RefusedError
from counterseal.findings import Finding, Severity
from counterseal.moments import show_moment
from counterseal.pki.certificate import IssuanceRequest
from counterseal.pki.keys import MIN_RSA_BITS, key_spec_of, weaknesses
from counterseal.pki.names import check_name, host_of, kind_of, show_name
from counterseal.pki.profile import PROBE_GROUP, Purpose
from counterseal.pki.subject import organizational_units, show_subject, subject_faults

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

    from counterseal.pki.certificate import Issuer
    from counterseal.pki.profile import Profile

BACKDATE = timedelta(minutes=5)
"""A new certificate is dated this far back, so that a peer whose clock is a little slow accepts it."""

BACKDATED_PART = 12
"""Of a short lifetime only this part is spent on dating back: five minutes of an hour."""

_SECOND = timedelta(seconds=1)
_HOST_KINDS = frozenset({"DNS", "IP"})


class Asked(NamedTuple):
    """What somebody asks for. ``lifetime`` None means the profile's; ``not_before`` is only for probes.

    ``not_after`` is an end to the second, in place of a lifetime. ``remarks`` tell what is not asked for again.
    """

    profile: Profile
    subject: x509.Name
    names: tuple[x509.GeneralName, ...]
    public_key: CertificatePublicKeyTypes
    lifetime: timedelta | None = None
    not_before: datetime | None = None
    not_after: datetime | None = None
    must_staple: bool = False
    remarks: tuple[Finding, ...] = ()


def decide(asked: Asked, issuer: Issuer, *, serial_number: int, now: datetime) -> IssuanceRequest:
    """Return what will be issued; raises RefusedError ``policy.refused`` with every reason.

    The certificate is valid for exactly the lifetime asked for, in whole seconds, and begins a little before ``now``.
    With ``not_after`` it ends then, and begins no earlier than the longest lifetime before that.
    Its names are those asked for, each once and in its one form.
    """
    reasons = tuple(_reasons(asked, issuer, now))
    if reasons:
        shown = show_subject(asked.subject) or ", ".join(map(show_name, asked.names)) or "no name"
        raise RefusedError("policy.refused", f"refused by profile {asked.profile.name!r}: {shown}", findings=reasons)
    not_before, not_after = _validity(asked, issuer, now)
    return IssuanceRequest(
        profile=asked.profile,
        subject=asked.subject,
        names=tuple(dict.fromkeys(map(check_name, asked.names))),
        public_key=asked.public_key,
        not_before=not_before,
        not_after=not_after,
        serial_number=serial_number,
        must_staple=asked.must_staple,
    )


def _lifetime(asked: Asked, now: datetime) -> timedelta:
    if asked.not_after is not None:
        return asked.not_after - now
    return asked.profile.lifetime if asked.lifetime is None else asked.lifetime


def _validity(asked: Asked, issuer: Issuer, now: datetime) -> tuple[datetime, datetime]:
    lifetime = _lifetime(asked, now)
    backdated = min(BACKDATE, lifetime // BACKDATED_PART) // _SECOND * _SECOND
    fresh = max(now - backdated, issuer.certificate.not_valid_before_utc)
    if asked.not_after is not None:
        return max(fresh, asked.not_after - asked.profile.max_lifetime).replace(microsecond=0), asked.not_after
    begin = (asked.not_before or fresh).replace(microsecond=0)
    return begin, (begin + lifetime).replace(microsecond=0)


def _reasons(asked: Asked, issuer: Issuer, now: datetime) -> Iterator[Finding]:
    yield from _issuer_reasons(asked, issuer, now)
    yield from weaknesses(asked.public_key)
    yield from _key_reasons(asked)
    yield from _lifetime_reasons(asked, issuer, now)
    yield from _subject_reasons(asked)
    if asked.must_staple:
        yield from staple_reasons(asked.profile, issuer)
    for name in asked.names:
        yield from name_reasons(asked.profile, name)
    if asked.profile.requires_name and not any(kind_of(name) in _HOST_KINDS for name in asked.names):
        yield _no("policy.name_missing", f"profile {asked.profile.name!r} needs at least one DNS or IP name")


def _issuer_reasons(asked: Asked, issuer: Issuer, now: datetime) -> Iterator[Finding]:
    if issuer.purpose not in {asked.profile.purpose, Purpose.ANY}:
        yield _no(
            "policy.issuer_purpose",
            f"issuer {issuer.name!r} is for {issuer.purpose} certificates, not for profile {asked.profile.name!r}",
        )
    for certificate in issuer.path:
        if now < certificate.not_valid_before_utc:
            yield _no(
                "policy.issuer_not_yet_valid",
                f"CA is not valid before {show_moment(certificate.not_valid_before_utc)}: "
                f"{show_subject(certificate.subject)}",
                "check this machine's clock",
            )
        if now > certificate.not_valid_after_utc:
            yield _no(
                "policy.issuer_expired",
                f"CA expired on {show_moment(certificate.not_valid_after_utc)}: {show_subject(certificate.subject)}",
                "add a new one: counterseal ca add"
                if certificate is not issuer.trust_anchor
                else "make a new CA: counterseal init --home ELSEWHERE",
            )


def _key_reasons(asked: Asked) -> Iterator[Finding]:
    spec = key_spec_of(asked.public_key)
    if spec and spec.bits and MIN_RSA_BITS <= spec.bits < asked.profile.min_rsa_bits:
        yield _no(
            "policy.key",
            f"profile {asked.profile.name!r} needs RSA keys of {asked.profile.min_rsa_bits} bits, not {spec.bits}",
        )


def _lifetime_reasons(asked: Asked, issuer: Issuer, now: datetime) -> Iterator[Finding]:
    lifetime, longest = _lifetime(asked, now), asked.profile.max_lifetime
    if asked.not_before is not None and not asked.profile.probe:
        yield _no("policy.not_before", f"only a probe is dated, not one of profile {asked.profile.name!r}")
    if lifetime < _SECOND:
        yield _no("policy.lifetime", f"lifetime is shorter than a second: {lifetime.total_seconds():g}s")
        return
    if lifetime > longest:
        yield _no(
            "policy.lifetime",
            f"lifetime {show_duration(lifetime)} is above {show_duration(longest)}, profile {asked.profile.name!r}",
            "max_lifetime of the profile, in counterseal.toml, says how long any may live",
        )
        return
    try:
        _, end = _validity(asked, issuer, now)
    except OverflowError:
        yield _no("policy.lifetime", f"lifetime reaches past the year 9999: {show_duration(lifetime)}")
        return
    yield from _outliving(end, issuer, now)


def _outliving(end: datetime, issuer: Issuer, now: datetime) -> Iterator[Finding]:
    first = min(issuer.path, key=lambda certificate: certificate.not_valid_after_utc)
    left = first.not_valid_after_utc - now
    if end > first.not_valid_after_utc and left >= timedelta(0):
        yield _no(
            "policy.outlives_issuer",
            f"the certificate would end {show_moment(end)} and outlive {show_subject(first.subject)}, "
            f"which ends in {show_duration(left)}",
            f"use --lifetime {_whole(left)} or less, or add a new issuing CA",
        )


def _whole(left: timedelta) -> str:
    """Return the longest lifetime of one unit that fits into ``left``, as it is written on the command line."""
    seconds = int(left.total_seconds())
    unit, size = next(
        ((unit, size) for unit, size in (("d", 86_400), ("h", 3600), ("m", 60)) if seconds >= size), ("s", 1)
    )
    return f"{seconds // size}{unit}"


def _subject_reasons(asked: Asked) -> Iterator[Finding]:
    for fault in subject_faults(asked.subject):
        yield _no("policy.subject", fault)
    # nginx compares the keys of a map without regard to case, so a group in other letters would pass for this one.
    marked = any(group.strip().casefold() == PROBE_GROUP for group in organizational_units(asked.subject))
    if marked and not asked.profile.probe:
        yield _no("policy.subject", f"OU={PROBE_GROUP} marks certificates made for a proof", "choose another group")
    if asked.profile.probe and not marked:
        yield _no("policy.subject", f"a certificate made for a proof is marked with OU={PROBE_GROUP}")
    if not asked.subject.rdns and not asked.names:
        yield _no("policy.subject", "neither a subject nor a name is given")


def staple_reasons(profile: Profile, issuer: Issuer) -> Iterator[Finding]:
    """Yield why no certificate of this profile can demand a stapled OCSP response: clients would refuse its server."""
    if profile.purpose is not Purpose.SERVER:
        message = f"only a server staples, so there is no must-staple in profile {profile.name!r}"
        yield _no("policy.must_staple", message, "leave it out of the CSR")
    elif not issuer.names_responder:
        message = f"must-staple cannot be met: certificates of CA {issuer.name!r} name no OCSP responder"
        hint = "leave it out of the CSR, or have http_url under [serve] in counterseal.toml name one"
        yield _no("policy.must_staple", message, hint)


def name_reasons(profile: Profile, name: x509.GeneralName) -> Iterator[Finding]:
    """Yield why this profile cannot have this name; for who must know before there is a key."""
    shown, kind = show_name(name), kind_of(name)
    if kind not in profile.name_kinds:
        yield _no(
            "policy.name_kind",
            f"profile {profile.name!r} does not permit this kind of name: {shown}",
            f"permitted are {', '.join(sorted(profile.name_kinds)) or 'none'}",
        )
        return
    try:
        checked = check_name(name)
    except InputError as error:
        yield _no("policy.name", error.message, error.hint)
        return
    if kind == "DNS" and str(checked.value).startswith("*.") and not profile.wildcards:
        yield _no("policy.wildcard", f"profile {profile.name!r} does not permit wildcards: {shown}")
    host = host_of(checked)
    if profile.permitted_domains and host is not None and not _within(host, profile.permitted_domains):
        yield _no(
            "policy.name_not_permitted",
            f"name not permitted by profile {profile.name!r}: {shown}",
            f"permitted are {', '.join(profile.permitted_domains)}",
        )


def _within(host: str, domains: tuple[str, ...]) -> bool:
    host = host.removeprefix("*.")
    return any(host == domain or host.endswith("." + domain) for domain in map(str.lower, domains))


def _no(code: str, message: str, hint: str | None = None) -> Finding:
    return Finding(code, Severity.CRITICAL, message, hint=hint)
