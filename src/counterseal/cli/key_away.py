"""A revocation where the key of a client CA is away: what nginx goes by meanwhile, and whom that leaves out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.authority.publish import lacking_lists
from counterseal.errors import NotFoundError
from counterseal.moments import moment, show_moment
from counterseal.store.records import CA_PROFILE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from counterseal.authority.parts import Authority
    from counterseal.authority.served import ServedSite
    from counterseal.cli.common import Run
    from counterseal.store.records import CertificateRecord


def tell_no_list(run: Run, authority: Authority, record: CertificateRecord) -> None:
    """Say that no list has a revocation, because the key of its CA is away; of CAs ``ca revoke`` says it."""
    if record.profile != CA_PROFILE and record.issuer in lacking_lists(authority):
        run.warn(
            f"no list has it: the key of CA {record.issuer} is not here to sign one",
            "hint: counterseal refresh, with that key at hand",
        )


def tell_last_lists(run: Run, authority: Authority, served: Sequence[ServedSite]) -> None:
    """Say which client CAs of the sites nginx knows by their last list, because their key is away, and until when."""
    from counterseal.authority.site_material import client_cas  # noqa: PLC0415 - nginx only where sites are

    for ca in dict.fromkeys(ca for one in served for ca in client_cas(authority, one.site)):
        crl = authority.store.latest_crl_times(ca.name)
        if crl is None or not authority.is_away(ca):
            continue
        end = moment(crl.next_update)
        if end > authority.clock():
            run.warn(f"the key of CA {ca.name} is not here: nginx goes by its last list, until {show_moment(end)}")
        else:
            run.warn(f"the list of CA {ca.name} ended {show_moment(end)}: nginx refuses everybody under it")


def left_by_its_list(
    authority: Authority, served: Sequence[ServedSite], record: CertificateRecord, verb: str
) -> NotFoundError | None:
    """Return why a deploy leaves the client as he is: a site goes by a list alone, or by one too, that nobody signs."""
    from counterseal.authority.site_material import client_cas, settled_revocation  # noqa: PLC0415 - as above
    from counterseal.nginx.site import Revocation  # noqa: PLC0415 - same

    ca = authority.store.ca(record.issuer)
    if record.profile == CA_PROFILE or not authority.is_away(ca):
        return None
    ways = {settled_revocation(authority, one.site) for one in served if ca in client_cas(authority, one.site)}
    unheard = {Revocation.CRL} if verb == "revoke" else {Revocation.CRL, Revocation.BOTH}
    if ways & unheard:
        try:
            authority.keystore.signer(ca.key_id)
        except NotFoundError as error:
            return error
    return None
