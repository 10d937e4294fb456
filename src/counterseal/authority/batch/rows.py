"""The rows of a batch: one client a row, from CSV with a heading (RFC 4180) or from JSON Lines.

Decides the columns and what each may hold; whether a name may be certified is decided by policy. A row that cannot be
read becomes a finding with its line and value, so that all of them can be reported at once.
"""

from __future__ import annotations

import csv
import io
import json
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from counterseal.duration import parse_duration
from counterseal.errors import FileError, InputError, encoding_hint, hint_for
from counterseal.files import reason_of
from counterseal.findings import Finding, Severity
from counterseal.pki.shown import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import timedelta
    from pathlib import Path
    from typing import TextIO

KINDS = {"email": "email", "uri": "URI", "dns": "DNS"}
COLUMNS = ("name", *KINDS, "group", "lifetime", "subject")
JSON_LINES = {".jsonl", ".ndjson"}


class ClientRow(NamedTuple):
    """One client to be: ``where`` is ``FILE:LINE``, ``names`` carry their kind in front, None means the default."""

    where: str
    name: str
    names: tuple[str, ...] = ()
    group: str | None = None
    lifetime: timedelta | None = None
    subject: str | None = None


def read_rows(path: Path) -> Iterator[ClientRow | Finding]:
    """Yield the rows of the file one by one, and a finding for each that cannot be read.

    ``.jsonl`` and ``.ndjson`` hold an object a line; anything else is CSV, also with semicolons, whose first line names
    the columns. Raises FileError, InputError ``batch.columns``.
    """
    try:
        with path.open("rb") as octets:
            if hint := encoding_hint(octets.peek(2)):
                raise InputError("batch.encoding", f"the file is UTF-16 text: {path}", hint=hint)
            stream = io.TextIOWrapper(octets, "utf-8-sig", "surrogateescape", newline="")
            yield from _json_lines(path, stream) if path.suffix in JSON_LINES else _csv(path, stream)
    except OSError as error:
        raise FileError("file.read", f"cannot read {path}: {reason_of(error)}") from error


def _csv(path: Path, stream: TextIO) -> Iterator[ClientRow | Finding]:
    heading = stream.readline()
    delimiter = ";" if ";" in heading and "," not in heading else ","
    try:
        columns = [cell.strip().lower() for cell in next(csv.reader([heading], delimiter=delimiter), [])]
    except csv.Error as error:
        raise InputError("batch.columns", f"{path.name}:1: not CSV: {error}") from error
    _require_columns(path, columns)
    reader, file = csv.reader(stream, delimiter=delimiter, strict=True), path.name
    in_order = itemgetter(*(columns.index(column) if column in columns else -1 for column in COLUMNS))
    width = len(columns)
    try:
        for cells in reader:
            where = f"{file}:{reader.line_num + 1}"
            if len(cells) > width:
                yield fault(where, "batch.row", f"more cells than columns: {quoted(cells[width])}")
            elif any(cells):
                cells.extend([""] * (width + 1 - len(cells)))  # what was left out, and at the end what has no column
                yield _row(where, *in_order(cells))
    except csv.Error as error:
        yield fault(f"{path.name}:{reader.line_num + 1}", "batch.row", f"not CSV from here on: {error}")


def _json_lines(path: Path, stream: TextIO) -> Iterator[ClientRow | Finding]:
    for number, line in enumerate(stream, start=1):
        where = f"{path.name}:{number}"
        if not line.strip():
            continue
        try:
            cells = json.loads(line, object_pairs_hook=_cells)
        except InputError as error:
            yield fault(where, error.code, error.message)
            continue
        except (ValueError, RecursionError):
            cells = None
        if isinstance(cells, dict):
            unknown = [key for key in cells if key not in COLUMNS]
            texts = _texts(where, cells) if not unknown else fault(where, "batch.columns", *_unknown(unknown[0]))
            yield texts if isinstance(texts, Finding) else _row(where, *(texts.get(column, "") for column in COLUMNS))
        else:
            yield fault(where, "batch.row", f"not a JSON object: {quoted(line.strip())}")


def _cells(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object's cells; of a key that stands twice others would read the first, and json the last."""
    cells: dict[str, Any] = {}
    for key, value in pairs:
        if key in cells:
            raise InputError("batch.columns", f"column stands twice: {quoted(key)}")
        cells[key] = value
    return cells


def _require_columns(path: Path, columns: list[str]) -> None:
    for position, column in enumerate(columns):
        if column not in COLUMNS:
            message, hint = _unknown(column)
            raise InputError("batch.columns", f"{path.name}:1: {message}", hint=hint)
        if column in columns[:position]:
            raise InputError("batch.columns", f"{path.name}:1: column stands twice: {quoted(column)}")
    if "name" not in columns:
        raise InputError(
            "batch.columns",
            f"{path.name}: there is no column 'name' in the first line{'' if columns else ', which is empty'}",
            hint=f"the first line names the columns: {','.join(COLUMNS)}; all but name may be left out",
        )


def _unknown(column: str) -> tuple[str, str]:
    return f"unknown column: {quoted(column)}", hint_for(column, COLUMNS)


def _texts(where: str, cells: Mapping[str, Any]) -> dict[str, str] | Finding:
    """Return a JSON object's cells as CSV has them: null is empty, a list of names has blanks between them."""
    texts: dict[str, str] = {}
    for column, value in cells.items():
        parts = value if isinstance(value, list) and column in KINDS else [value if value is not None else ""]
        if not all(isinstance(part, str) for part in parts):
            return fault(where, "batch.cell", f"{column} is not text: {quoted(json.dumps(value))}")
        texts[column] = " ".join(parts)
    return texts


def _row(
    where: str, name: str, email: str, uri: str, dns: str, group: str, lasting: str, subject: str
) -> ClientRow | Finding:
    """Return the row; a cell with several names has blanks between them."""
    names = [f"email:{one}" for one in email.split()] if email else []
    if uri:
        names += [f"URI:{one}" for one in uri.split()]
    if dns:
        names += [f"DNS:{one}" for one in dns.split()]
    if not (name := name.strip()):
        return fault(where, "batch.name", "the name is missing")
    try:
        lifetime = parse_duration(lasting) if (lasting := lasting.strip()) else None
    except InputError as error:
        return fault(where, error.code, error.message, error.hint)
    return ClientRow(where, name, tuple(names), group.strip() or None, lifetime, subject.strip() or None)


def fault(where: str, code: str, message: str, hint: str | None = None) -> Finding:
    """Return what is wrong with a row."""
    return Finding(code, Severity.CRITICAL, message, where=where, hint=hint)
