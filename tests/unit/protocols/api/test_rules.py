"""Roles and grants: who may do what, and who may give what away."""

from __future__ import annotations

import pytest

from counterseal.protocols.api.rules import Access, ApiRules, Grant, Role, permits

VIEWER, OPERATOR, ADMIN = Role.VIEWER, Role.OPERATOR, Role.ADMIN


@pytest.mark.parametrize(
    ("grants", "needed", "profile", "expected"),
    [
        ((), VIEWER, None, False),
        ((Grant(VIEWER),), VIEWER, None, True),
        ((Grant(VIEWER),), OPERATOR, None, False),
        ((Grant(ADMIN),), OPERATOR, "server", True),
        ((Grant(OPERATOR, ("server",)),), OPERATOR, "server", True),
        ((Grant(OPERATOR, ("server",)),), OPERATOR, "client", False),
        ((Grant(OPERATOR, ("server",)), Grant(VIEWER)), OPERATOR, "client", False),
        ((Grant(OPERATOR, ("server",)), Grant(OPERATOR, ("client",))), OPERATOR, "client", True),
    ],
)
def test_permits(grants: tuple[Grant, ...], needed: Role, profile: str | None, *, expected: bool) -> None:
    """One grant must be enough by itself."""
    assert permits(grants, needed, profile) is expected


@pytest.mark.parametrize(
    ("own", "other", "expected"),
    [
        (Grant(ADMIN), Grant(ADMIN), True),
        (Grant(OPERATOR), Grant(ADMIN), False),
        (Grant(OPERATOR), Grant(OPERATOR, ("server",)), True),
        (Grant(OPERATOR, ("server",)), Grant(OPERATOR), False),
        (Grant(OPERATOR, ("server", "client")), Grant(VIEWER, ("client",)), True),
    ],
)
def test_includes(own: Grant, other: Grant, *, expected: bool) -> None:
    """A grant for some profiles is less than one for all."""
    assert own.includes(other) is expected


def test_whom_an_access_means() -> None:
    """By exactly what it names; nobody by default."""
    rules = ApiRules(
        access=(
            Access(Grant(VIEWER), group="ops"),
            Access(Grant(ADMIN), subject="CN=root"),
            Access(Grant(OPERATOR), serial_number=7),
        )
    )
    assert rules.grants_of("CN=alice,OU=ops", "ops", 1) == (Grant(VIEWER),)
    assert rules.grants_of("CN=root", None, 7) == (Grant(ADMIN), Grant(OPERATOR))
    assert rules.grants_of("CN=Root", "OPS", 1) == ()
    assert ApiRules().grants_of("CN=root", "ops", 7) == ()
