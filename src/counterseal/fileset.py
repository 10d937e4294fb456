"""Files to be written, as a value: what would be written can be shown, compared and tested before it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = 0o600
PUBLIC = 0o644


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """A file to be: a path relative to where the set is written, its bytes (never in the repr) and its mode."""

    path: str
    content: bytes = field(repr=False)
    mode: int = PUBLIC

    @property
    def is_secret(self) -> bool:
        """Whether only its owner may read it; such content is never shown."""
        return self.mode & 0o077 == 0


@dataclass(frozen=True, slots=True)
class FileSet:
    """An ordered set of planned files with distinct paths."""

    files: tuple[PlannedFile, ...] = ()

    def __iter__(self) -> Iterator[PlannedFile]:
        return iter(self.files)

    def __len__(self) -> int:
        return len(self.files)

    def __add__(self, other: FileSet) -> FileSet:
        return FileSet(self.files + other.files)

    def __getitem__(self, path: str) -> PlannedFile:
        for file in self.files:
            if file.path == path:
                return file
        raise KeyError(path)
