"""The proof as data for ``--json``: plain dictionaries with stable keys.

::

    {"site": "panel", "passed": false, "seconds": 0.31, "rows": [
      {"kind": "revoked", "title": "revoked certificate", "site": "panel", "endpoint": "127.0.0.1:443",
       "tls": "1.3", "expected": "refused with 400", "observed": "200 OK, verify=SUCCESS", "result": "failed",
       "skipped": null, "cause": "...", "fix": "...", "why": "...", "seconds": 0.006}]}

``kind`` is one of RowKind's values; ``result`` is ``passed``, ``failed`` or ``skipped``; ``tls`` is null over plain
HTTP; ``skipped``, ``cause`` and ``fix`` are null where they do not apply; seconds are rounded to milliseconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from counterseal.handshake import proof_shapes as shapes
    from counterseal.handshake.prove import Proof
    from counterseal.handshake.rows import RowResult


def proof_to_json(proof: Proof) -> shapes.Proof:
    """Return the proof as a dictionary that ``json.dumps`` takes."""
    return {
        "site": proof.site,
        "passed": proof.passed,
        "seconds": round(proof.seconds, 3),
        "rows": [row_to_json(result) for result in proof.rows],
    }


def row_to_json(result: RowResult) -> shapes.ProofRow:
    """Return one row of it."""
    row = result.row
    return {
        "kind": row.kind,
        "title": row.title,
        "site": row.site,
        "endpoint": str(row.endpoint),
        "tls": row.tls_version,
        "expected": result.expected,
        "observed": result.observed,
        "result": "skipped" if result.skipped is not None else "passed" if result.passed else "failed",
        "skipped": result.skipped,
        "cause": result.cause,
        "fix": result.fix,
        "why": row.why,
        "seconds": round(result.seconds, 3),
    }
