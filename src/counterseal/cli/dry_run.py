"""``--dry-run`` of every command that writes: what it would do and which files it would write, and nothing is written.

A file is shown with its path, mode, size and whether it is new, changed or the same; text that changes with its
difference. Secrets and binary files are never shown, only named. A size that is only about right says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from counterseal.files import Preview
from counterseal.fileset import SECRET

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from counterseal.cli.common import Run

dry_run_option = click.option(
    "--dry-run", is_flag=True, help="Show what would be done and which files written, and do nothing."
)


def show_dry_run(
    run: Run,
    *,
    acts: Sequence[str] = (),
    files: Sequence[Preview] = (),
    document: dict[str, Any] | None = None,
    fails: bool = False,
) -> None:
    """Show what a command would do: ``acts`` in words (``publish a new CRL of root``), and its files.

    Exits with 1 where the command would do all that and fails nevertheless.
    """
    lines = [f"would {act}" for act in acts]
    for file in files:
        size = "size not known before" if file.size is None else f"{'about ' * file.varies}{file.size} bytes"
        lines.append(f"would write {file.path} (mode {file.mode:04o}, {size}, {file.change})")
        lines += [file.diff.rstrip()] if file.diff and file.change == "changed" else []
    shown = [
        {**file._asdict(), "mode": f"{file.mode:04o}", "varies": file.varies or file.size is None} for file in files
    ]
    run.show({"dry_run": True, "acts": list(acts), **(document or {}), "files": shown}, "\n".join(lines))
    if fails:
        click.get_current_context().exit(1)


def unseen(path: Path, *, size: int | None, mode: int = SECRET, varies: bool = False) -> Preview:
    """Return the preview of a file whose bytes are made only when it is written, such as an encrypted key.

    ``size`` is None where nobody knows it before, as of a certificate that a CA elsewhere will issue.
    """
    return Preview(str(path), mode, size, "changed" if path.exists() else "new", None, varies)
