"""Retire an issuing CA: another of its purpose issues in its place, renewals included.

What it issued stays valid and may be renewed, so sites that admit it admit its successor too, and it goes on publishing
revocation lists. One that was revoked is succeeded in the same way; what it issued stays locked out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.authority.parts import ROOT, replacing
from counterseal.authority.site_material import is_locked_out
from counterseal.errors import InputError, RefusedError

if TYPE_CHECKING:
    from counterseal.authority.parts import Authority
    from counterseal.store.records import CARecord


def retire(authority: Authority, name: str, successor: str) -> CARecord:
    """Have ``successor`` issue in the place of the CA, and return its record; raises what ``check_succession`` does."""
    check_succession(authority, name, successor)
    authority.store.retire_ca(name, successor)
    return authority.store.ca(name)


def check_succession(authority: Authority, name: str, successor: str) -> None:
    """Raise RefusedError (``ca.not_issuing``), InputError (``ca.successor``) or NotFoundError where that cannot be."""
    old, new = authority.store.ca(name), authority.store.ca(successor)
    if name == ROOT:
        raise RefusedError("ca.not_issuing", "the root is not retired: its issuing CAs are", hint="counterseal ca list")
    if old.successor is not None:
        raise RefusedError("ca.not_issuing", f"CA {name} is retired already: {old.successor} issues in its place")
    if new.purpose != old.purpose or new.name == old.name:
        hint = f"make one: counterseal ca add NAME --purpose {old.purpose}"
        raise InputError("ca.successor", f"not another CA for {old.purpose} certificates: {successor}", hint=hint)
    if new.successor is not None:
        raise InputError("ca.successor", f"CA {successor} is retired itself", hint=f"name {new.successor}")
    if new.revoked_at is not None:
        raise InputError("ca.successor", f"CA {successor} is revoked", hint=f"put one in its place: {replacing(new)}")
    if is_locked_out(authority, new):
        hint = "make one with another subject, as another CN"
        raise InputError("ca.successor", f"CA {successor} has the name of a revoked CA", hint=hint)
