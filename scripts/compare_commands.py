"""Fail when an installed package has other commands than docs/commands.md says. usage: PYTHON compare_commands.py.

PYTHON is the interpreter of the environment that it is installed in, as pipx and uv tool make one.
"""

from __future__ import annotations

import sys
from difflib import unified_diff
from pathlib import Path

import counterseal
from generate_docs import DOCS, write_commands


def main() -> int:
    """Print the difference; return 1 if there is one, or if it is the checkout that was looked at."""
    if Path(counterseal.__file__).is_relative_to(DOCS.parent):
        print(f"not an installed package: {counterseal.__file__}")
        return 1
    documented = (DOCS / "commands.md").read_text().splitlines()
    difference = list(
        unified_diff(documented, write_commands().splitlines(), "docs/commands.md", "installed", lineterm="")
    )
    print(*difference, sep="\n", end="\n" if difference else "")
    return 1 if difference else 0


if __name__ == "__main__":
    sys.exit(main())
