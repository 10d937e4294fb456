"""What a batch's file may hold, and what is said about what it may not."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from counterseal.authority.batch.rows import ClientRow, read_rows
from counterseal.errors import InputError
from counterseal.findings import Finding

if TYPE_CHECKING:
    from pathlib import Path

FULL = ClientRow(
    "devices:2", "d1", ("email:a@b.example", "email:c@d.example", "DNS:d1.example"), "ops", timedelta(days=30), None
)


def _rows(tmp_path: Path, name: str, text: str) -> list[ClientRow | Finding]:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return list(read_rows(path))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("devices.csv", "name,email,dns,group,lifetime\nd1,a@b.example c@d.example,d1.example,ops,30d\n"),
        ("devices.csv", "\ufeffName;EMAIL;dns;group;lifetime\r\nd1;a@b.example c@d.example;d1.example;ops;30d\r\n"),
        ("devices.csv", 'lifetime,name,email,dns,group\n30d,"d1",a@b.example c@d.example,d1.example,ops\n\n,,,,\n'),
        (
            "devices.jsonl",
            (
                '\n{"name": "d1", "email": ["a@b.example", "c@d.example"], "dns": "d1.example",'
                ' "group": "ops", "lifetime": "30d", "subject": null}\n'
            ),
        ),
    ],
)
def test_every_spelling_of_a_row_is_the_same_row(tmp_path: Path, name: str, text: str) -> None:
    """CSV as others write it, with a byte order mark or semicolons too, and JSON Lines."""
    (row,) = _rows(tmp_path, name, text)
    assert isinstance(row, ClientRow)
    assert row.where == f"{name}:2"
    assert (row.name, row.names, row.group, row.lifetime, row.subject) == (
        FULL.name,
        FULL.names,
        FULL.group,
        FULL.lifetime,
        None,
    )


@pytest.mark.parametrize(
    ("name", "text", "code", "value"),
    [
        ("d.csv", "name,group\nd1,ops,x\n", "batch.row", "'x'"),
        ("d.csv", "name,group\n,ops\n", "batch.name", "name"),
        ("d.csv", "name,lifetime\nd1,9 lives\n", "duration.form", "'9 lives'"),
        ("d.csv", 'name\n"d1"x\n', "batch.row", "CSV"),
        ("d.jsonl", '\n["d1"]\n', "batch.row", "d1"),
        ("d.jsonl", "\n{broken\n", "batch.row", "{broken"),
        ("d.jsonl", "\n" + "[" * 100_000 + "\n", "batch.row", "[[[..."),
        ("d.jsonl", '\n{"name": "d1", "mail": "x"}\n', "batch.columns", "'mail'"),
        ("d.jsonl", '\n{"name": "d1", "name": "d2"}\n{"name": "d3"}\n', "batch.columns", "column stands twice: 'name'"),
        ("d.jsonl", '\n{"name": 7}\n', "batch.cell", "7"),
        ("d.jsonl", '\n{"name": ["d1"]}\n', "batch.cell", "d1"),
    ],
)
def test_a_row_that_cannot_be_read_is_a_finding_with_its_line_and_value(
    tmp_path: Path, name: str, text: str, code: str, value: str
) -> None:
    """And the rows after it are read all the same."""
    finding = _rows(tmp_path, name, text)[0]
    assert isinstance(finding, Finding)
    assert (finding.code, finding.where) == (code, f"{name}:2")
    assert value in finding.message


def test_a_heading_that_is_too_long_is_no_csv(tmp_path: Path) -> None:
    """The reader takes no cell of more than 131,072 characters."""
    with pytest.raises(InputError, match=r"d\.csv:1: not CSV: field larger") as refused:
        _rows(tmp_path, "d.csv", f"name,{'A' * 200_000}\nx,y\n")
    assert refused.value.code == "batch.columns"


@pytest.mark.parametrize(
    ("heading", "hint"),
    [("name,emial", "did you mean 'email'?"), ("name,name", None), ("group", "name"), ("", "name")],
)
def test_a_heading_that_cannot_be_meant_is_refused_at_once(tmp_path: Path, heading: str, hint: str | None) -> None:
    """Otherwise a column would be left out of ten thousand certificates in silence."""
    with pytest.raises(InputError) as refused:
        _rows(tmp_path, "d.csv", f"{heading}\nx,y\n")
    assert refused.value.code == "batch.columns"
    assert hint is None or hint in (refused.value.hint or "")
