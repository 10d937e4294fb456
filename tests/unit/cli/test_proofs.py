"""A proof as a table, in a terminal of any width."""

from __future__ import annotations

import pytest

from counterseal.cli import proofs
from counterseal.handshake.judge import judge, skip
from counterseal.handshake.prove import Proof
from counterseal.handshake.rows import RowKind
from judging import page, row_of

PROOF = Proof(
    "panel",
    (
        judge(row_of(RowKind.EXPIRED), page(400, "FAILED:certificate has expired")),
        judge(row_of(RowKind.GOOD), page(200, "SUCCESS")),
        skip(row_of(RowKind.REVOKED), "no client was revoked in this run, so nothing is there to be offered again"),
    ),
    0.1,
)


@pytest.mark.parametrize("width", [80, 100, 300, None])
def test_a_table_fits_the_terminal(width: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every word stays whole and is there, in columns that begin where their titles do; a pipe gets a line a row."""
    monkeypatch.setattr(proofs, "terminal_width", lambda: width)
    head, titles, *lines = proofs.table([PROOF]).splitlines()
    assert head == "site panel: 2 rows passed, 1 skipped, in 0.1 s"
    assert max(map(len, lines)) <= (width or 1000)
    assert len(lines) == 3 if width in {300, None} else len(lines) > 3
    begins = [titles.index(title) for title in ("TLS", "CLIENT", "EXPECTED", "SEEN")]
    cells = [[line[begin:end] for line in lines] for begin, end in zip(begins, [*begins[1:], None], strict=True)]
    told = " ".join(" ".join(cells[-1]).split())
    assert told.startswith("400, verify=FAILED:certificate has expired 200, verify=SUCCESS no client was revoked")
    assert told.endswith("nothing is there to be offered again")


def test_a_proof_without_rows_has_titles_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """As of a site that nobody could try."""
    monkeypatch.setattr(proofs, "terminal_width", lambda: 80)
    assert proofs.table([Proof("panel", (), 0.1)]).splitlines()[1].split() == ["TLS", "CLIENT", "EXPECTED", "SEEN"]
