"""Fail when a file of the package did not make it into the wheel. usage: compare_wheel.py WHEEL."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent / "src"


def list_source() -> set[str]:
    """Name every file of the package, relative to ``src``, but for what Python caches."""
    files = (path for path in (SOURCE / "counterseal").rglob("*") if path.is_file())
    return {path.relative_to(SOURCE).as_posix() for path in files if "__pycache__" not in path.parts}


def main() -> int:
    """Print each missing file; return 1 if there is one."""
    missing = sorted(list_source() - set(zipfile.ZipFile(sys.argv[1]).namelist()))
    for name in missing:
        print(f"not in the wheel: {name}")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
