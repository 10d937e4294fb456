"""Profiles of counterseal.toml: who may ask for which lifetime."""

from __future__ import annotations

from datetime import timedelta

import pytest

from counterseal.config.convert import profile_of
from counterseal.config.raw import RawProfile
from counterseal.pki.profile import SERVER


@pytest.mark.parametrize(
    ("raw", "by_strangers", "here"),
    [
        (RawProfile(extends="server"), timedelta(days=90), timedelta(days=3650)),
        (RawProfile(extends="server", lifetime="6h"), timedelta(hours=6), timedelta(days=3650)),
        (RawProfile(extends="server", lifetime="6h", max_lifetime="2d"), timedelta(days=2), timedelta(days=2)),
        (RawProfile(extends="server", max_lifetime="3650d"), timedelta(days=3650), timedelta(days=3650)),
    ],
)
def test_the_longest_lifetime(raw: RawProfile, by_strangers: timedelta, here: timedelta) -> None:
    """Over the network it is the usual one, unless a maximum is written down; at the CA it is ten years else."""
    profile = profile_of("short", raw)
    assert (profile.for_strangers().max_lifetime, profile.max_lifetime) == (by_strangers, here)


def test_the_built_in_profiles_leave_nothing_to_strangers() -> None:
    """Nobody has written a maximum down for them."""
    assert SERVER.for_strangers().max_lifetime == SERVER.lifetime
