"""The CAs, their lists, and the profiles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from counterseal.authority.ca_json import ca_to_json
from counterseal.authority.publish import publish, stale_lists
from counterseal.authority.record_json import crl_to_json
from counterseal.errors import NotFoundError
from counterseal.pki.pem import encode_certificates
from counterseal.pki.profile import UNLISTED
from counterseal.protocols.api.operation import Call, Operation, Reply
from counterseal.protocols.api.rules import Role
from counterseal.protocols.api.shapes import CRL, CAs, CRLs, Described, Name, Profiles, ShownCA
from counterseal.protocols.api.shapes import Profile as ShownProfile

if TYPE_CHECKING:
    from counterseal.authority.parts import Authority
    from counterseal.pki.profile import Profile

UNKNOWN = {404: "There is no CA of this name, or no list of it."}


class OneCA(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Which CA."""

    name: Annotated[Name, Described(examples=["clients"])]


class OneProfile(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Which profile."""

    name: Annotated[Name, Described(examples=["server"])]


class Publish(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Which lists to sign anew."""

    only: Annotated[list[Name] | None, Described(description="The lists of these CAs; null for all.")] = None
    if_stale: Annotated[bool, Described(description="Only where one is missing, old, or lacks a revocation.")] = False


class Published(msgspec.Struct, frozen=True):
    """What was signed, and the CAs whose key is not here and whose list stays as it was."""

    signed: list[CRL]
    without_key: list[str]


async def list_cas(call: Call) -> Reply:
    """List the CAs, retired ones too, in the order they were made."""
    return Reply({"cas": await call.parts.service.access.read(_cas)})


async def show_ca(call: Call) -> Reply:
    """Show a CA and its certificate, for whoever is to trust it."""
    wanted: OneCA = call.parameters

    def read(authority: Authority) -> Reply:
        record = authority.store.ca(wanted.name)
        certificate = x509.load_der_x509_certificate(record.certificate)
        shown = ca_to_json(record, authority.store.latest_crl_times(record.name))
        content = {
            "ca": shown,
            "certificate": encode_certificates(certificate).decode(),
            "sha256": certificate.fingerprint(SHA256()).hex(),
        }
        return Reply(content, tag=f"{record.state}-{shown['crl_number']}")

    return await call.parts.service.access.read(read)


async def list_crls(call: Call) -> Reply:
    """List the newest revocation list of every CA."""

    def read(authority: Authority) -> list[dict[str, object]]:
        lists = (authority.store.latest_crl_times(record.name) for record in authority.store.cas())
        return [crl_to_json(one) for one in lists if one is not None]

    return Reply({"crls": await call.parts.service.access.read(read)})


async def download_crl(call: Call) -> Reply:
    """Download the newest revocation list of a CA, in DER."""
    wanted: OneCA = call.parameters

    def read(authority: Authority) -> Reply:
        record = authority.store.latest_crl(authority.store.ca(wanted.name).name)
        if record is None:
            raise NotFoundError("crl.none", f"no list of this CA was published yet: {wanted.name}")
        return Reply(record.crl, tag=f"{record.number}-{record.this_update}")

    return await call.parts.service.access.read(read)


async def publish_crls(call: Call) -> Reply:
    """Sign new revocation lists; relying parties find them at once where they always fetch them."""
    wanted: Publish = call.body

    def sign(authority: Authority) -> Reply:
        for name in wanted.only or ():
            authority.store.ca(name)
        only = set(stale_lists(authority)) if wanted.if_stale else None
        if wanted.only is not None:
            only = set(wanted.only) if only is None else only & set(wanted.only)
        published = publish(call.acting(authority), only=only)
        return Reply(
            {
                "signed": [crl_to_json(one) for one in published.signed],
                "without_key": list(published.without_key),
            }
        )

    return await call.parts.service.access.apart(sign)


async def list_profiles(call: Call) -> Reply:
    """List the profiles that can be asked for."""
    found = await call.parts.service.access.read(lambda authority: dict(authority.rules.profiles))
    return Reply({"profiles": [_show(one) for one in found.values() if one.name not in UNLISTED]})


async def show_profile(call: Call) -> Reply:
    """Show what a profile permits."""
    wanted: OneProfile = call.parameters
    return Reply(_show(await call.parts.service.access.read(lambda authority: authority.profile(wanted.name))))


def _cas(authority: Authority) -> list[dict[str, object]]:
    return [ca_to_json(one, authority.store.latest_crl_times(one.name)) for one in authority.store.cas()]


def _show(profile: Profile) -> ShownProfile:
    return ShownProfile(
        name=profile.name,
        purpose=str(profile.purpose),
        lifetime=int(profile.lifetime.total_seconds()),
        max_lifetime=int(profile.for_strangers().max_lifetime.total_seconds()),
        name_kinds=sorted(profile.name_kinds),
        wildcards=profile.wildcards,
        requires_name=profile.requires_name,
        permitted_domains=list(profile.permitted_domains),
        min_rsa_bits=profile.min_rsa_bits,
    )


OPERATIONS = (
    Operation("listCAs", "GET", "/v1/cas", Role.VIEWER, list_cas, CAs, "List the CAs"),
    Operation(
        "showCA", "GET", "/v1/cas/{name}", Role.VIEWER, show_ca, ShownCA, "Show a CA",
        parameters=OneCA, problems=UNKNOWN, tagged=True,
    ),
    Operation("listCRLs", "GET", "/v1/crls", Role.VIEWER, list_crls, CRLs, "List the revocation lists"),
    Operation(
        "publishCRLs", "POST", "/v1/crls", Role.ADMIN, publish_crls, Published, "Publish revocation lists",
        body=Publish, problems=UNKNOWN,
    ),
    Operation(
        "downloadCRL", "GET", "/v1/crls/{name}", Role.VIEWER, download_crl, "application/pkix-crl",
        "Download a revocation list", parameters=OneCA, problems=UNKNOWN, tagged=True,
    ),
    Operation("listProfiles", "GET", "/v1/profiles", Role.VIEWER, list_profiles, Profiles, "List the profiles"),
    Operation(
        "showProfile", "GET", "/v1/profiles/{name}", Role.VIEWER, show_profile, ShownProfile, "Show a profile",
        parameters=OneProfile, problems={404: "There is no such profile."},
    ),
)  # fmt: skip
