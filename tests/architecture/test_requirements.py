"""What is installed is locked: exact versions with hashes, from whatever index the machine is set up for."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING

import pytest
from packaging.requirements import Requirement

from architecture.source_tree import ROOT

if TYPE_CHECKING:
    from pathlib import Path

LOCKS = sorted((ROOT / "requirements").glob("*.txt"))


def read_lock(name: str) -> dict[str, str]:
    """Map each locked package to its version."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    return dict(re.findall(r"^([a-z0-9.-]+)==(\S+)", text, re.MULTILINE))


def check_locked(wanted: list[str], locked: dict[str, str]) -> list[str]:
    """List the requirements that the lock does not fulfil."""
    requirements = [Requirement(text) for text in wanted]
    return [str(need) for need in requirements if not need.specifier.contains(locked.get(need.name, "0"))]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_every_requirement_has_a_hash_and_none_a_place(lock: Path) -> None:
    """Each package stands with its hashes; where it is fetched from is the machine's affair."""
    text = lock.read_text()
    packages = re.split(r"\n(?=[a-z0-9])", "\n" + re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE))[1:]
    assert packages
    assert [package.partition(" ")[0] for package in packages if "--hash=sha256:" not in package] == []
    assert [line for line in text.splitlines() if "://" in line or line.startswith("--")] == []


def test_locks_fulfil_the_project() -> None:
    """pyproject.toml was not changed without scripts/lock.sh."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = project["dependency-groups"]
    development = [need for need in groups["dev"] if isinstance(need, str)]
    assert check_locked(project["project"]["dependencies"], read_lock("runtime")) == []
    assert check_locked(project["build-system"]["requires"] + groups["build"], read_lock("build")) == []
    assert check_locked(groups["nginx"], read_lock("nginx")) == []
    assert check_locked(groups["fuzz"], read_lock("fuzz")) == []
    assert check_locked(project["project"]["optional-dependencies"]["serve"], read_lock("serve")) == []
    assert check_locked(development, read_lock("dev")) == []


def test_locks_agree() -> None:
    """What is checked with the development lock is what quickstart installs."""
    development = read_lock("dev")
    for name in ("runtime", "build", "nginx", "serve"):
        assert read_lock(name).items() <= development.items()
