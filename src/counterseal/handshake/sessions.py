"""Sessions made before a revocation, to be offered again after it.

nginx stores its verdict in the TLS session. Whether a revoked client stays out is therefore only known by having let it
in before: this remembers its sessions, the proof offers them again. RFC 8446 2.2 and 4.6.1, RFC 5246 7.3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.handshake.attempt import attempt
from counterseal.handshake.plan import attempt_as
from counterseal.handshake.site import Leaver

if TYPE_CHECKING:
    from counterseal.handshake.observation import ProbeIdentity
    from counterseal.handshake.site import SiteFacts

_SECONDS = 5.0


def remember_session(facts: SiteFacts, identity: ProbeIdentity, *, with_its_ca: bool = False) -> Leaver:
    """Connect as ``identity`` to every endpoint and TLS version of the site and keep the sessions that it gives out.

    To be called before the deploy that revokes the identity; the result goes into ``Identities.leaver``. A site that
    gives no session out, or cannot be reached, leaves None in its place. ``with_its_ca`` is kept in the result.
    """
    sessions = []
    for endpoint in facts.endpoints:
        for version in facts.tls_versions:
            seen = attempt(attempt_as(facts, identity, endpoint=endpoint, tls_version=version, timeout=_SECONDS))
            sessions.append((endpoint, version, seen.session))
    return Leaver(identity, tuple(sessions), with_its_ca)
