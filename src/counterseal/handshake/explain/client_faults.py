"""Why a client does not come through: its alerts about the server's certificate, and connections without TLS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.handshake.explain.certificates import show_authorities
from counterseal.handshake.explain.nginx_log import log_line
from counterseal.handshake.explain.nothing_common import nothing_common
from counterseal.handshake.explain.situation import Diagnosis
from counterseal.handshake.symptoms import Cause
from counterseal.handshake.trace.dial import Ending
from counterseal.pki.shown import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from counterseal.handshake.wire.messages import ClientHello

_UNUSABLE = (
    "its user chose none, or none is usable: browsers leave out what has expired, is not for clients, or has a key of "
    "a kind that they do not import"
)
_IMPORT = (
    "import the certificate with its key on the client's side (PKCS#12), and close the browser, which remembers the "
    "last choice until then"
)
_UNTRUSTED = Cause(
    "the client does not trust the certificate that it was shown here: its CA is not installed, or another one is",
    "install the root of the CA at the client (curl: --cacert), or let counterseal listen show a certificate that the "
    "client trusts: --name, or --cert and --key",
)
OTHER_ALERT = Cause("the client gave up for the reason that its alert names", "read what the client says itself")
CLIENT_ALERTS = {
    "unknown_ca": _UNTRUSTED,
    "bad_certificate": _UNTRUSTED,
    "certificate_unknown": _UNTRUSTED,
    "certificate_expired": Cause("the certificate shown here has expired for the client", "renew it, or set its clock"),
    "unsupported_certificate": Cause(
        "the certificate shown here is not made for servers", "show one of the server profile: --name"
    ),
    "protocol_version": Cause("the client speaks none of the TLS versions offered here", "listen without --tls"),
    "user_canceled": Cause("somebody cancelled at the client", "choose a certificate when the client asks for one"),
}


def no_certificate(authorities: Sequence[bytes]) -> Cause:
    """Return why a client sends no certificate although it was asked for one of these CAs, or of any."""
    if not authorities:
        return Cause(f"the client has no certificate, {_UNUSABLE}", _IMPORT)
    return Cause(
        f"the client has no certificate of {show_authorities(authorities)}, the CAs that were named to it: what others "
        f"have issued it does not even show to its user; or {_UNUSABLE}",
        f"look at the client who has issued its certificates, or listen with --any-ca to see what it has; {_IMPORT}",
    )


def client_fault(ending: Ending, fault: str, opening: bytes, offered: ClientHello | None) -> tuple[str, Diagnosis]:
    """Return in one sentence how a client ended that came to no TLS, and why that may be; ``offered`` is its hello."""
    if ending is Ending.NOT_TLS:
        shown = repr(opening[:40])[1:]
        happened = f"the client speaks no TLS: its first bytes are {shown}"
        return happened, Diagnosis(happened, *_PLAIN, code=497, log=log_line(497))
    happened, cause = _ENDINGS.get(ending, _ENDINGS[Ending.OWN_FAULT])
    text = printable(happened.format(fault=fault))
    if ending is Ending.OWN_FAULT and offered is not None:
        cause = nothing_common(fault, offered) or cause
    return text, Diagnosis(text, cause.cause, cause.fix)


_PLAIN = ("the client was given http:// in place of https://", "write https:// at the client")
_NOTHING = Cause(
    "a browser that opened a connection in advance, a port scanner, or a health check that looks for an open port only",
    "wait for the connection that follows",
)
_ENDINGS = {
    Ending.CLOSED: ("the client closes before the handshake is finished", _NOTHING),
    Ending.RESET: ("the client resets the connection before the handshake is finished", _NOTHING),
    Ending.SILENT: ("the client connects and says nothing", _NOTHING),
    Ending.OWN_FAULT: (
        "the handshake fails on this side: {fault}",
        Cause(
            "the client offers no version, cipher suite, group or signature algorithm that is taken here, or sends a "
            "certificate that OpenSSL does not take",
            "read the reason, and compare it with what the ClientHello offers",
        ),
    ),
}
