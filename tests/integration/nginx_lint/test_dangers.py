"""What the rules warn of, seen on every nginx at hand: with the bad case running it happens, with the good one not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from counterseal.pki.openssl.release import takes_deltas
from dangers import DANGERS, OF_MODULES
from nginx_dangers import Danger, answer, danger_lab
from nginx_lint_lab import MODULES
from nginx_process import PrivateNginx, nginx_binary, nginx_version, private_nginx

if TYPE_CHECKING:
    from pathlib import Path

    from counterseal.nginx.version import NginxVersion

__all__ = ["danger_lab", "nginx_binary", "nginx_version", "private_nginx"]

pytestmark = pytest.mark.nginx


@pytest.mark.parametrize("danger", DANGERS, ids=str)
def test_a_danger(danger: Danger, private_nginx: PrivateNginx, danger_lab: Path, nginx_version: NginxVersion) -> None:
    """As the tables in ``tests/dangers`` say."""
    assert_danger(danger, private_nginx, danger_lab, nginx_version)


@pytest.mark.skipif(not MODULES.exists(), reason="Debian's nginx is not installed")
@pytest.mark.parametrize("nginx_binary", ["debian"], indirect=True)
@pytest.mark.parametrize("danger", OF_MODULES, ids=str)
def test_a_danger_of_a_module(
    danger: Danger, private_nginx: PrivateNginx, danger_lab: Path, nginx_version: NginxVersion
) -> None:
    """The same where a module decides, which only Debian's nginx has."""
    assert_danger(danger, private_nginx, danger_lab, nginx_version)


def assert_danger(danger: Danger, nginx: PrivateNginx, lab: Path, version: NginxVersion) -> None:
    """Fail unless the bad case answers as told, and the good one; a nginx that the rule is not about has no danger."""
    is_there = danger.rule.concerns(version) and (danger.rule.code != "mtls-crl-delta" or takes_deltas(version.openssl))
    assert answer(danger, danger.bad, nginx, lab) == (danger.before if is_there else danger.after)
    assert not danger.because or (danger.because in nginx.log()) == is_there, nginx.log()
    nginx.forget_log()
    assert answer(danger, danger.good, nginx, lab) == danger.after
    assert not danger.because or danger.because not in nginx.log()
