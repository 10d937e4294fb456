"""Revocation lists that are past their next update, by which nginx refuses every certificate of their issuer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.moments import show_moment
from counterseal.nginx.lint.fix import REFRESH
from counterseal.nginx.lint.rule import Found, at
from counterseal.pki.subject import show_subject

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from cryptography import x509

    from counterseal.nginx.lint.files import NamedFile
    from counterseal.nginx.tree import Directive


def lists_over(directive: Directive, file: NamedFile, now: datetime) -> Iterator[Found]:
    """Find those in the file that ``directive`` names, unless it has a current one of the issuer, which then counts."""
    current = {one.issuer for one in file.crls if not _is_over(one, now)}
    for one in file.crls:
        if one.next_update_utc is not None and one.issuer not in current:
            message = f"list of {show_subject(one.issuer)} is over since {show_moment(one.next_update_utc)}"
            yield Found(at(directive, 0), message, command=REFRESH)


def _is_over(crl: x509.CertificateRevocationList, now: datetime) -> bool:
    return crl.next_update_utc is not None and crl.next_update_utc <= now
