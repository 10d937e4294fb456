"""The probes of the generation in force end, and nothing else is due: only a deploy makes new ones."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from command import counterseal, here
from counterseal.authority.due import deploy_due
from counterseal.compose.ground import open_ground
from counterseal.compose.home import open_authority, settings_of
from one_site import SITE
from ports import free_port

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.nginx


def test_a_deploy_is_due_before_the_probes_end(tmp_path: Path) -> None:
    """Of seven days a third is left; the certificate of the site and the lists are good for longer."""
    home = tmp_path / "home"
    assert here(home, "init", "--no-passphrase").code == 0
    (home / "counterseal.toml").write_text(SITE.format(port=free_port()))
    assert counterseal(home, "nginx", "deploy").code == 0
    try:
        settings = settings_of(home)
        ground = open_ground(home, settings)
        with open_authority(home, lambda: None) as authority:
            now = authority.clock()

            def due(days: int) -> tuple[bool, tuple[str, ...]]:
                later = replace(authority, clock=lambda: now + timedelta(days=days))
                return deploy_due(later, settings.sites, ground, stale=())

            assert [due(days) for days in (0, 4, 5)] == [(False, ()), (False, ()), (True, ())]
    finally:
        counterseal(home, "nginx", "stop")
