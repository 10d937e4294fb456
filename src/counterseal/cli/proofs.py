"""A proof as a table for people and as data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.cli.common import columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from counterseal.handshake.prove import Proof
    from counterseal.handshake.rows import RowResult


def table(proofs: Sequence[Proof], *, only_failed: bool = False) -> str:
    """Return the rows of the proofs: what was tried, over which TLS, what was expected and seen, and the verdict."""
    lines = []
    for proof in proofs:
        rows = [row for row in proof.rows if not (only_failed and row.passed)]
        passed = sum(row.passed and row.skipped is None for row in proof.rows)
        lines.append(f"site {proof.site}: {passed} of {len(proof.rows)} rows passed in {proof.seconds:.1f} s")
        lines.append(columns([_row(row) for row in rows], titles=("", "TLS", "CLIENT", "EXPECTED", "SEEN")))
        lines += [line for row in rows if not row.passed for line in _advice(row)]
    return "\n".join(lines)


def _row(result: RowResult) -> tuple[str, ...]:
    verdict = "skip" if result.skipped else "ok" if result.passed else "FAIL"
    return (
        verdict,
        result.row.tls_version or "-",
        result.row.title,
        result.expected,
        result.skipped or result.observed,
    )


def _advice(result: RowResult) -> list[str]:
    lines = [f"failed: {result.row.title}"]
    lines += [f"  cause: {result.cause}"] if result.cause else []
    lines += [f"  fix: {result.fix}"] if result.fix else []
    return lines
