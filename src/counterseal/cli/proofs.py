"""A proof as a table for people."""

from __future__ import annotations

import math
import textwrap
from itertools import zip_longest
from typing import TYPE_CHECKING

from counterseal.cli.common import columns
from counterseal.cli.terminal import terminal_width
from counterseal.handshake.proof_json import row_to_json
from counterseal.pki.shown import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from counterseal.authority.deployment import Deployed
    from counterseal.cli.common import Run
    from counterseal.handshake.proof_shapes import ProofRow
    from counterseal.handshake.prove import Proof
    from counterseal.handshake.rows import RowResult

_TEXTS = 2  # the first of the columns that hold sentences
_TITLES = ("", "TLS", "CLIENT", "EXPECTED", "SEEN")


def table(proofs: Sequence[Proof]) -> str:
    """Return the rows of the proofs: what was tried, over which TLS, what was expected and seen, and the verdict.

    A row that went the same way over both versions of TLS, or at every address, is one line.
    """
    lines = []
    for proof in proofs:
        lines.append(summary(proof))
        lines.append(columns(_fitted(_merged(proof.rows), terminal_width()), titles=_TITLES))
        lines += _advice(proof.failed)
    return "\n".join(lines)


def tell_unmet(run: Run, deployed: Deployed) -> list[ProofRow]:
    """Say which rows failed in a deploy that is in force all the same, because it locks somebody out; return them."""
    for row in deployed.unmet:
        run.warn(f"site {row.row.site}: {row.row.title}: expected {row.expected}, saw {row.observed}")
    for line in _advice(deployed.unmet):
        run.say(line)
    return [row_to_json(row) for row in deployed.unmet]


def summary(proof: Proof) -> str:
    """Return in a line how many rows passed, failed and were skipped."""
    skipped = sum(row.skipped is not None for row in proof.rows)
    failed = len(proof.failed)
    passed = len(proof.rows) - skipped - failed
    counts = [f"{counted(passed, 'row')} passed"]
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


def _fitted(rows: list[tuple[str, ...]], width: int | None) -> list[tuple[str, ...]]:
    """Return the rows with their texts broken over several lines where the table would be wider than ``width``."""
    cells = list(zip(*rows, strict=True))
    whole = [max(map(len, column)) for column in cells]
    over = sum(whole) + 2 * (len(whole) - 1) - (width or math.inf)
    if over <= 0:
        return rows
    least = [max(len(word) for cell in column for word in cell.split()) for column in cells[_TEXTS:]]
    yielding = [text - word for text, word in zip(whole[_TEXTS:], least, strict=True)]
    left = max(1 - over / max(sum(yielding), 1), 0)
    limits = [*whole[:_TEXTS], *(word + int(part * left) for word, part in zip(least, yielding, strict=True))]
    return [line for row in rows for line in _broken(row, limits)]


def _broken(row: tuple[str, ...], limits: list[int]) -> Iterator[tuple[str, ...]]:
    cells = (textwrap.wrap(cell, limit, break_on_hyphens=False) for cell, limit in zip(row, limits, strict=True))
    yield from zip_longest(*cells, fillvalue="")


def _advice(failed: Sequence[RowResult]) -> Iterator[str]:
    """Yield what is said of the rows that failed, once for all with the same cause."""
    titles: dict[tuple[str | None, str | None], dict[str, None]] = {}
    for row in failed:
        titles.setdefault((row.cause, row.fix), {})[row.row.title] = None
    for (cause, fix), of in titles.items():
        if cause or fix:
            yield f"failed: {', '.join(of)}"
        if cause:
            yield f"  cause: {cause}"
        if fix:
            yield f"  fix: {fix}"
