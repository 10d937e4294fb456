"""The CAs above one that is taken over, up to its root: found among what was given, and fit to be relied on.

nginx follows a chain to a self-signed certificate and takes nothing less, so neither does this.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509

from counterseal.errors import InputError, RefusedError
from counterseal.moments import show_moment
from counterseal.pki.extensions import extension_in
from counterseal.pki.relations import Pool, is_issued_by
from counterseal.pki.subject import show_subject

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime


def chain_above(
    certificate: x509.Certificate, given: Sequence[x509.Certificate], *, at: datetime
) -> tuple[x509.Certificate, ...]:
    """Return the CAs above a CA, the nearest first and its root last; none above a self-signed one.

    What was given beside them is passed over. Raises InputError ``import.chain`` where one is missing or has not signed
    what is below it, RefusedError ``import.dates`` where one, or the CA itself, is not valid at this moment, and
    ``import.not_ca`` where one is none.
    """
    above = Pool(given).path_of(certificate)
    path = (certificate, *(one for one in above if one != certificate))
    top = path[-1]
    if not is_issued_by(top, top):
        raise _broken(top, given)
    for one in path:
        _check_dates(one, at)
        constraints = extension_in(one.extensions, x509.BasicConstraints)
        if constraints is None or not constraints.ca:
            raise RefusedError("import.not_ca", f"not a CA certificate: {show_subject(one.subject)}")
    return path[1:]


def _broken(top: x509.Certificate, given: Sequence[x509.Certificate]) -> InputError:
    """Tell a missing issuer from one of the right name that has not signed, as after a renewal with another key."""
    shown, issuer = show_subject(top.subject), show_subject(top.issuer)
    if any(one.subject == top.issuer for one in given):
        return InputError(
            "import.chain",
            f"the key of {issuer} that was given has not signed {shown}",
            hint="give the certificate of the issuer that did: there may be an older or newer one of the same name",
        )
    return InputError(
        "import.chain",
        f"the issuer of {shown} was not given: {issuer}",
        hint="pass --chain FILE with every CA above, up to the self-signed root; their keys are not needed",
    )


def _check_dates(certificate: x509.Certificate, at: datetime) -> None:
    shown, begin, end = (
        show_subject(certificate.subject),
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
    )
    if at > end:
        hint = "have it renewed with the same key and name, and give that certificate"
        raise RefusedError("import.dates", f"the CA has expired on {show_moment(end)}: {shown}", hint=hint)
    if at < begin:
        hint = "set the clock right (timedatectl)"
        raise RefusedError("import.dates", f"the CA is not valid before {show_moment(begin)}: {shown}", hint=hint)
