"""What nginx refuses itself: the running one keeps the old configuration, and the next one does not start."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nginx_dangers import ADMITTED, BOB, ask, case_text, danger_lab, running, with_applications
from nginx_process import WITHIN, PrivateNginx, nginx_binary, private_nginx

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["danger_lab", "nginx_binary", "private_nginx"]

pytestmark = pytest.mark.nginx


@pytest.mark.parametrize("code", ["file-malformed", "file-missing", "tls-key-mismatch"])
def test_a_reload_keeps_the_old_and_a_start_fails(code: str, private_nginx: PrivateNginx, danger_lab: Path) -> None:
    """Who has deployed the bad case over the good one sees nothing, until the machine starts again."""
    with running(with_applications(case_text(code, "good")), private_nginx, danger_lab) as ports:
        assert ask(BOB, ports, danger_lab) == ADMITTED  # with its workers the master takes signals
        text = case_text(code, "bad")
        for named, port in ports.items():
            text = text.replace(f":{named}", f":{port}")
        private_nginx.conf.write_text(text)
        private_nginx.reload()
        private_nginx.wait_for(lambda: "[emerg]" in private_nginx.log(), "the reload to be refused")
        assert ask(BOB, ports, danger_lab) == ADMITTED
    private_nginx.start()
    assert private_nginx.master is not None
    assert private_nginx.master.wait(WITHIN) == 1
