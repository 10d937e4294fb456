"""``--dry-run`` of every command that writes: what it would do and which files it would write, and nothing is written.

A file is shown with its path, mode, size and whether it is new, changed or the same; text that changes with its
difference. Secrets and binary files are never shown, only named. A size that is only about right says so.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import click

from counterseal.files import Preview
from counterseal.fileset import PUBLIC, SECRET

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from counterseal.authority.parts import Authority
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
    writes: bool = True,
) -> None:
    """Show what a command would do: ``acts`` in words (``publish a new CRL of root``), and its files.

    Raises FileError where they cannot be written; not without ``writes``, where they lie there and are only compared.
    Exits with 1 where the command would do all that and fails nevertheless.
    """
    if writes:
        from counterseal.cli.room import require_room  # noqa: PLC0415 - for a rehearsal alone

        require_room(files)
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


def done_or_rehearsed(authority: Authority, *, dry_run: bool) -> AbstractContextManager[Authority]:
    """Give the authority for the block, for a dry run one of which nothing stays: both refuse the same."""
    from counterseal.authority.rehearsing import rehearsing  # noqa: PLC0415 - many commands write files alone

    return rehearsing(authority) if dry_run else nullcontext(authority)


def unseen(path: Path, *, size: int | None, mode: int = SECRET, varies: bool = False) -> Preview:
    """Return the preview of a file whose bytes are made only when it is written, such as an encrypted key.

    ``size`` is None where nobody knows it before, as of a certificate that a CA elsewhere will issue.
    """
    return Preview(str(path), mode, size, "changed" if path.exists() else "new", None, varies)


def unseen_files(out: Path, stem: str, *, with_chain: bool, with_pkcs12: bool) -> list[Preview]:
    """Return the previews of a certificate's files that nobody can make before it is issued."""
    from counterseal.bundles.pem import TRUST_ANCHOR_FILE  # noqa: PLC0415 - certificates, which few commands here have

    secret = [f"{stem}.key.pem", *([f"{stem}.p12"] if with_pkcs12 else [])]
    chain = [f"{stem}.chain.pem"] if with_chain else []
    public = [f"{stem}.cert.pem", *chain, f"{stem}.fullchain.pem", TRUST_ANCHOR_FILE]
    shown = [unseen(out / file, size=None) for file in secret]
    return shown + [unseen(out / file, size=None, mode=PUBLIC) for file in public]
