"""Rows and observations for the tests of judging, as short as they can be said."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from counterseal.handshake.observation import Endpoint, Observation
from counterseal.handshake.plan import plan
from counterseal.handshake.rows import Row, RowKind
from counterseal.handshake.site import Leaver, SiteFacts, Stapling
from prove_pki import prove_pki

PKI = prove_pki()
IDENTITIES = replace(PKI.identities, leaver=Leaver(PKI.leaving), revoked_cas={"clients": PKI.identities.good})
FACTS = SiteFacts(
    site="panel",
    endpoints=(Endpoint("127.0.0.1", 8443),),
    server_name="panel.test",
    client_certificates="required",
    revocation="crl",
    other_server_names=("other.test",),
    generation=3,
    trust_anchors=b"anchors",
    server_certificate_serial=77,
    plain_http=(Endpoint("127.0.0.1", 8080),),
)
MEANT = Stapling(lambda: datetime(2026, 11, 1, tzinfo=UTC), meant=True)
WELCOME = replace(MEANT, meant=False)
"""A response may come, and must be good then."""


def row_of(kind: RowKind, **changes: Any) -> Row:  # noqa: ANN401 - any field of the facts
    """Return the row of a kind, as the plan makes it for the site with these changes."""
    if kind in {RowKind.PROTECTED_WITHOUT, RowKind.PROTECTED_GOOD}:
        changes = {"client_certificates": "optional", "protected_paths": ("/admin/",), **changes}
    if kind is RowKind.UNLISTED:
        changes = {"known_only": True, **changes}
    if kind is RowKind.TLS_VERSION:
        changes = {"tls_versions": ("1.3",), **changes}
    if kind in {RowKind.RIVAL_SNI, RowKind.RIVAL_RESUMPTION}:
        changes = {"rival_server_name": "shop.test", **changes}
    if kind is RowKind.FORGED_HEADERS:
        changes = {"identity_headers": True, "prove_socket": "/run/s", **changes}
    if kind is RowKind.STAPLE:
        changes = {"stapling": MEANT, **changes}
    return next(row for row in plan(replace(FACTS, **changes), IDENTITIES) if row.kind is kind)


def page(status: int, verify: str | None = None, **more: Any) -> Observation:  # noqa: ANN401 - any field
    """Return what a page of ours shows: 200 admits, 400 is a refused certificate, 403 the allow list."""
    code = {400: 496 if verify == "NONE" else 495}.get(status, status)
    seen = Observation(
        status=status,
        tls_version="1.3",
        certificate_requested=None if more.get("resumed") else True,
        verify=verify,
        code=code,
        generation=3,
        decision="admitted" if status == 200 else "refused",
        server_certificate_serial=77,
    )
    return replace(seen, **more)


def foreign_page(status: int, **more: Any) -> Observation:  # noqa: ANN401 - any field
    """Return what an application's own answer shows, without our line."""
    return replace(Observation(status=status, certificate_requested=True, server_certificate_serial=77), **more)
