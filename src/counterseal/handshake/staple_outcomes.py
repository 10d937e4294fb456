"""What a wrong outcome points to where a server was asked for an OCSP response to its own certificate."""

from __future__ import annotations

from counterseal.handshake.observation import StapleFault
from counterseal.handshake.rows import RowKind
from counterseal.handshake.symptoms import Cause, Symptom

_KINDS = frozenset({RowKind.STAPLE})
_ABSENT = Cause(
    "the server staples nothing: it got no answer from the responder that the certificate names (it is down, hangs, or "
    "its host is not known), or none that it takes. nginx says which in error.log (resolver, ssl_stapling_verify), and "
    "after a failure a worker asks again only 5 minutes later",
    "see that the server reaches the responder (counterseal serve, where it is ours), then reload nginx, whose new "
    "workers ask at once; for a site of ours without stapling set stapling = false",
)
_NOT_BELIEVED = Cause(
    "the server staples what no client can believe, old or about another certificate: from a file, which nobody looks "
    "into (nginx: ssl_stapling_file), or as a responder gave it out (ssl_stapling_verify is off)",
    "let the server ask the responder itself, or renew the file with the certificate and before its next_update, and "
    "reload; of nginx: leave ssl_stapling_file out, and set ssl_stapling_verify on",
)
_NOT_GOOD = Cause(
    "the responder does not say good of the certificate that is served: it is revoked, or unknown to it",
    "give the site a new certificate (counterseal nginx deploy does, where ours was revoked), and leave an "
    "ssl_stapling_file of nginx out",
)

STAPLE_SYMPTOMS = (
    Symptom(_ABSENT, kinds=_KINDS, staple=StapleFault.ABSENT),
    Symptom(_NOT_BELIEVED, kinds=_KINDS, staple=StapleFault.NOT_BELIEVED),
    Symptom(_NOT_GOOD, kinds=_KINDS, staple=StapleFault.NOT_GOOD),
)
