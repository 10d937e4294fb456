"""What a wrong outcome with the prover as backend points to."""

from __future__ import annotations

from counterseal.handshake.backend_rows import KINDS
from counterseal.handshake.rows import RowKind
from counterseal.handshake.symptoms import Cause, Fault, Symptom

_IMPOSTORS = KINDS - {RowKind.BACKEND_GOOD, RowKind.BACKEND_SEES}
_NOT_CONNECTED = Cause(
    "nginx did not connect to the prover in the backend's place",
    "look for the reason in error.log: the workers may not be allowed to open the socket in the run directory",
)
_NOT_VERIFIED = Cause(
    "nginx does not verify its backend: proxy_ssl_verify (grpc_ssl_verify) is off, as by default, or another "
    "certificate passes: proxy_ssl_trusted_certificate holds a CA too many, or proxy_ssl_name or proxy_ssl_crl is "
    "missing",
    "set proxy_ssl_verify on with proxy_ssl_trusted_certificate, proxy_ssl_name, proxy_ssl_server_name on and the CRLs",
)
_LOCKED_OUT = Cause(
    "nginx takes no backend: its CA file lacks the root, proxy_ssl_verify_depth is too small, a CRL is expired or "
    "missing for one CA of the chain, proxy_ssl_server_name is off, or the backend refuses nginx's own certificate",
    "read nginx's error.log (upstream SSL certificate verify error), and compare the CA file, the lists and the depth; "
    "set proxy_ssl_server_name on",
)
_NOT_SHOWN = Cause(
    "the backend sees no certificate of nginx, or another one: proxy_ssl_certificate is missing, an old one, or "
    "without its intermediates",
    "set proxy_ssl_certificate to the certificate with its intermediates, and proxy_ssl_certificate_key, and deploy",
)

BACKEND_SYMPTOMS = (
    Symptom(_NOT_CONNECTED, fault=Fault.NOT_CONNECTED, kinds=KINDS),
    Symptom(_NOT_VERIFIED, kinds=_IMPOSTORS),
    Symptom(_LOCKED_OUT, kinds=frozenset({RowKind.BACKEND_GOOD})),
    Symptom(_NOT_SHOWN, kinds=frozenset({RowKind.BACKEND_SEES})),
)
