"""Somebody's server by its URL: what can be known of it from outside, as the facts that a proof starts from.

What the server was meant to be is not visible. Where the caller does not say it, it is taken from what a client without
a certificate meets, and the proof then shows whether the server is consistent with itself. RFC 3986, RFC 9110 4.2.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from counterseal.errors import InputError
from counterseal.handshake.attempt import attempt
from counterseal.handshake.observation import STATUS_PATH, Attempt, Endpoint
from counterseal.handshake.site import SiteFacts
from counterseal.handshake.verdict import Verdict, verdict

if TYPE_CHECKING:
    from counterseal.handshake.observation import Observation, TLSVersion
    from counterseal.handshake.site import ClientCertificates

_VERSIONS: tuple[TLSVersion, ...] = ("1.2", "1.3")
_REFUSALS = frozenset({Verdict.REFUSED, Verdict.FORBIDDEN, Verdict.ALERT, Verdict.UNANSWERED})


def facts_of_url(
    url: str,
    *,
    client_certificates: ClientCertificates | None = None,
    trust_anchors: bytes | None = None,
) -> SiteFacts:
    """Return the facts of the server at an https ``url``, from one look at it over each TLS version.

    ``client_certificates`` says what it is meant to ask for, ``trust_anchors`` (PEM) whom its clients trust. A server
    of ours is known by its status page. Raises InputError ``prove.url``; a server that does not answer is a matter of
    the proof.
    """
    endpoint, name, path = read_target(url)
    seen = {version: _look(endpoint, name, path, version) for version in _VERSIONS}
    spoken = tuple(version for version in _VERSIONS if seen[version].tls_version is not None)
    status = _look(endpoint, name, STATUS_PATH, (spoken or _VERSIONS)[-1])
    return SiteFacts(
        site=url,
        endpoints=(endpoint,),
        server_name=name,
        client_certificates=client_certificates or _asked_for(seen[(spoken or _VERSIONS)[-1]]),
        tls_versions=spoken or _VERSIONS,
        generation=status.generation,
        probe_path=None if status.generation is not None else path,
        trust_anchors=trust_anchors,
    )


def read_target(url: str) -> tuple[Endpoint, str, str]:
    """Return where an https URL leads to: its endpoint, name and path; raises InputError ``prove.url``."""
    hint = "write https://HOST[:PORT][/PATH]"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or 443
    except ValueError as error:
        raise InputError("prove.url", f"cannot read the URL: {url!r}: {error}", hint=hint) from error
    if parts.scheme != "https" or not host or parts.username is not None:
        raise InputError("prove.url", f"not the URL of an https server: {url!r}", hint=hint)
    path = parts.path or "/"
    return Endpoint(host, port), host, f"{path}?{parts.query}" if parts.query else path


def _look(endpoint: Endpoint, name: str, path: str, version: TLSVersion) -> Observation:
    return attempt(Attempt(endpoint, name, Endpoint(name, endpoint.port).host_header, path, version))


def _asked_for(seen: Observation) -> ClientCertificates:
    if not seen.certificate_requested:
        return "none"
    return "required" if verdict(seen) in _REFUSALS else "optional"
