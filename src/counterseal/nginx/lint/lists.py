"""Revocation lists that nginx takes though they are no good: past their next update, or a delta for a full one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.moments import show_moment
from counterseal.nginx.lint.fix import REFRESH
from counterseal.nginx.lint.rule import Found, at, name_another
from counterseal.pki.path.crl_scope import is_delta
from counterseal.pki.subject import show_subject

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from cryptography import x509

    from counterseal.nginx.lint.files import NamedFile
    from counterseal.nginx.lint.store import Store
    from counterseal.nginx.tree import Directive


def lists_over(directive: Directive, file: NamedFile, now: datetime) -> Iterator[Found]:
    """Find those in the file that ``directive`` names, unless it has a current one of the issuer, which then counts."""
    current = {one.issuer for one in file.crls if not _is_over(one, now)}
    for one in file.crls:
        if one.next_update_utc is not None and one.issuer not in current:
            message = f"list of {show_subject(one.issuer)} is over since {show_moment(one.next_update_utc)}"
            yield Found(at(directive, 0), message, command=REFRESH)


def deltas(directive: Directive, file: NamedFile, placeholder: str) -> Iterator[Found]:
    """Find lists of changes only (RFC 5280 5.2.4), however their indicator is marked."""
    for one in filter(is_delta, file.crls):
        message = f"the list of {show_subject(one.issuer)} is a delta"
        yield name_another(directive, placeholder, message, decision="where the full list is")


def without_list(store: Store, file: NamedFile) -> list[str]:
    """Return the names of the CAs of a store that end a path and have no list in the file, where that could be read."""
    issuers = {one.issuer for one in file.crls}
    used = (ca.subject for ca in store.cas if store.path(ca) and not file.fault)
    return list(dict.fromkeys(show_subject(name) for name in used if name not in issuers))


def _is_over(crl: x509.CertificateRevocationList, now: datetime) -> bool:
    return crl.next_update_utc is not None and crl.next_update_utc <= now
