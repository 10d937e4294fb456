"""What a power cut finds after nginx was told: all that a deploy wrote, renamed or removed was flushed by then."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from counterseal.errors import DeployError
from counterseal.fileset import FileSet, PlannedFile
from counterseal.nginx.deploy import STEPS, deploy

if TYPE_CHECKING:
    from collections.abc import Callable

    from integration.nginx_deploy.bench import Bench

pytestmark = pytest.mark.nginx


class Disk:
    """What was changed below a directory and not flushed since, as the calls to the system go by."""

    def __init__(self, base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.base = base
        self.dirty: set[Path] = set()
        self._flushed: set[Path] = set()
        notes: dict[str, Callable[..., None]] = {"fsync": self._flush}
        notes |= dict.fromkeys(("link", "rename", "replace"), self._move)
        notes |= dict.fromkeys(("mkdir", "unlink"), self._change)
        for name, note in notes.items():
            monkeypatch.setattr(os, name, self._beside(getattr(os, name), note))

    def _beside(self, call: Callable[..., Any], note: Callable[..., None]) -> Callable[..., Any]:
        def called(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - of any function
            answer = call(*arguments, **options)
            note(*arguments)
            return answer

        return called

    def _flush(self, descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        self._flushed.add(path)
        self.dirty.discard(path)

    def _move(self, old: str | Path, new: str | Path) -> None:
        self._change(new)
        path = Path(new)
        if path.is_file() and not path.is_symlink() and Path(old) not in self._flushed:
            self.dirty.add(path)

    def _change(self, path: str | Path, *_: object) -> None:
        """Note a name that came, went or means something else; hidden ones are litter, whatever becomes of them."""
        path = Path(path)
        if path.is_relative_to(self.base) and not path.name.startswith("."):
            self.dirty.add(path.parent)


def _watch(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> tuple[Disk, dict[str, set[Path]]]:
    """Return the disk, and what is dirty when each step begins."""
    disk, seen = Disk(bench.base, monkeypatch), dict[str, set[Path]]()
    bench.on_step = lambda step: seen.update({step: set(disk.dirty)})
    return disk, seen


def test_what_nginx_is_told_of_is_on_disk(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a power cut would bring back who is revoked, with the link of before, and the command had said otherwise."""
    bench.deploy()
    disk, seen = _watch(bench, monkeypatch)
    folder = FileSet((PlannedFile("sites/panel.crl.pem", b"a list"),))
    deploy(
        lambda number: bench.files(number) + folder,
        place=bench.place,
        prove=bench.prove,
        reason="a test",
        on_step=bench.on_step,
    )
    assert set(seen) == set(STEPS)
    assert set().union(*seen.values()) == set()
    assert disk.dirty == set()


def test_the_way_back_is_on_disk(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The link of before, and that there is nothing to undo any more."""
    bench.deploy()
    bench.refuse = True
    disk, _ = _watch(bench, monkeypatch)
    with pytest.raises(DeployError):
        bench.deploy()
    assert disk.dirty == set()
