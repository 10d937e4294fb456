"""A proof as a table for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.cli.common import columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from counterseal.handshake.prove import Proof
    from counterseal.handshake.rows import RowResult

_TITLES = ("", "TLS", "CLIENT", "EXPECTED", "SEEN")


def table(proofs: Sequence[Proof], *, only_failed: bool = False) -> str:
    """Return the rows of the proofs: what was tried, over which TLS, what was expected and seen, and the verdict.

    A row that went the same way over both versions of TLS, or at every address, is one line.
    """
    lines = []
    for proof in proofs:
        rows = [row for row in proof.rows if not (only_failed and row.passed)]
        lines.append(summary(proof))
        lines.append(columns(_merged(rows), titles=_TITLES))
        lines += list(dict.fromkeys(line for row in rows if not row.passed for line in _advice(row)))
    return "\n".join(lines)


def summary(proof: Proof) -> str:
    """Return in a line how many rows passed, failed and were skipped."""
    skipped = sum(row.skipped is not None for row in proof.rows)
    failed = len(proof.failed)
    counts = [f"{len(proof.rows) - skipped - failed} rows passed"]
    counts += [f"{failed} FAILED"] if failed else []
    counts += [f"{skipped} skipped"] if skipped else []
    return f"site {proof.site}: {', '.join(counts)}, in {proof.seconds:.1f} s"


def _merged(rows: Sequence[RowResult]) -> list[tuple[str, ...]]:
    versions: dict[tuple[str, str, str, str], list[str]] = {}
    for row in rows:
        verdict = "skip" if row.skipped else "ok" if row.passed else "FAIL"
        line = (verdict, row.row.title, row.expected, row.skipped or row.observed)
        versions.setdefault(line, []).append(row.row.tls_version or "-")
    return [
        (verdict, " ".join(dict.fromkeys(tls)), title, expected, seen)
        for (verdict, title, expected, seen), tls in versions.items()
    ]


def _advice(result: RowResult) -> list[str]:
    if result.cause is None and result.fix is None:
        return []
    lines = [f"failed: {result.row.title}"]
    lines += [f"  cause: {result.cause}"] if result.cause else []
    lines += [f"  fix: {result.fix}"] if result.fix else []
    return ["\n".join(lines)]
