"""What a wrong outcome points to where a server was asked for an OCSP response to its own certificate."""

from __future__ import annotations

from counterseal.handshake.observation import StapleFault
from counterseal.handshake.rows import RowKind
from counterseal.handshake.symptoms import Cause, Symptom

_KINDS = frozenset({RowKind.STAPLE})
_ABSENT = Cause(
    "nginx staples nothing: its workers got no answer from the responder that the certificate names (it is down, "
    "hangs, or resolver does not know its host), or none that ssl_stapling_verify takes; error.log says which. After "
    "a failure a worker asks again only 5 minutes later",
    "see that nginx reaches the responder (counterseal serve, where it is ours), then reload nginx, whose new workers "
    "ask at once; or set stapling = false",
)
_NOT_BELIEVED = Cause(
    "nginx staples what no client can believe: the file of ssl_stapling_file is old or about another certificate, for "
    "nginx never looks into it, or with ssl_stapling_verify off the responder's answer is taken as it is",
    "leave ssl_stapling_file out, so that nginx asks the responder itself, or renew the file with the certificate and "
    "before its next_update, and reload; set ssl_stapling_verify on",
)
_NOT_GOOD = Cause(
    "the responder does not say good of the certificate that nginx serves: it is revoked, or unknown to it",
    "give the site a new certificate (counterseal nginx deploy does, where ours was revoked), and leave an "
    "ssl_stapling_file out",
)

STAPLE_SYMPTOMS = (
    Symptom(_ABSENT, kinds=_KINDS, staple=StapleFault.ABSENT),
    Symptom(_NOT_BELIEVED, kinds=_KINDS, staple=StapleFault.NOT_BELIEVED),
    Symptom(_NOT_GOOD, kinds=_KINDS, staple=StapleFault.NOT_GOOD),
)
