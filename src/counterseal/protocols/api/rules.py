"""Who may do what over the API: roles, and the grants of ``[[api.access]]`` in counterseal.toml. PURE.

Nobody may do anything unless a grant says so. A caller has every grant that fits him.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Role(StrEnum):
    """What a caller may do; each may do what the one before may."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"

    def covers(self, needed: Role) -> bool:
        """Whether this role may do what ``needed`` may."""
        order = list(Role)
        return order.index(self) >= order.index(needed)


@dataclass(frozen=True, slots=True)
class Grant:
    """A role, and the profiles of what may be issued, renewed and revoked with it; None for every profile."""

    role: Role
    profiles: tuple[str, ...] | None = None

    def permits(self, needed: Role, profile: str | None = None) -> bool:
        """Whether it is enough for an operation, on a certificate of this profile if it is about one."""
        fits = profile is None or self.profiles is None or profile in self.profiles
        return fits and self.role.covers(needed)

    def includes(self, other: Grant) -> bool:
        """Whether who has this one can do all that the other permits."""
        if not self.role.covers(other.role):
            return False
        return self.profiles is None or (other.profiles is not None and set(other.profiles) <= set(self.profiles))


@dataclass(frozen=True, slots=True)
class Access:
    """To whom a grant is given: client certificates of this subject, group (OU) or serial number; one of them is set.

    ``subject`` is compared with the subject as the inventory has it (RFC 4514).
    """

    grant: Grant
    subject: str | None = None
    group: str | None = None
    serial_number: int | None = None

    def fits(self, subject: str, group: str | None, serial_number: int) -> bool:
        """Whether a certificate that says this is meant."""
        return (
            (self.subject is not None and subject == self.subject)
            or (self.group is not None and group == self.group)
            or (self.serial_number is not None and serial_number == self.serial_number)
        )


@dataclass(frozen=True, slots=True)
class ApiRules:
    """What ``[api]`` says.

    ``requests_per_minute`` is for one caller, at all replicas together; half a minute's worth may come at once.
    """

    enabled: bool = True
    access: tuple[Access, ...] = ()
    requests_per_minute: int = 600

    def grants_of(self, subject: str, group: str | None, serial_number: int) -> tuple[Grant, ...]:
        """Return all that a holder of such a certificate has been granted."""
        return tuple(one.grant for one in self.access if one.fits(subject, group, serial_number))


def permits(grants: Iterable[Grant], needed: Role, profile: str | None = None) -> bool:
    """Whether any of the grants is enough."""
    return any(grant.permits(needed, profile) for grant in grants)
