"""The JSON form of a proof: its keys do not change between versions."""

from __future__ import annotations

import json

from counterseal.handshake.judge import judge, skip
from counterseal.handshake.proof_json import proof_to_json
from counterseal.handshake.prove import Proof
from counterseal.handshake.rows import RowKind
from judging import page, row_of


def test_a_proof_as_json() -> None:
    """A passed, a failed and a skipped row, with the keys that scripts read."""
    rows = (
        judge(row_of(RowKind.GOOD), page(200, "SUCCESS", seconds=0.01234)),
        judge(row_of(RowKind.NO_CERTIFICATE), page(200, "NONE")),
        skip(row_of(RowKind.REVOKED), "no identity"),
    )
    shown = json.loads(json.dumps(proof_to_json(Proof("panel", rows, 0.5))))
    assert {key: shown[key] for key in ("site", "passed", "seconds")} == {
        "site": "panel", "passed": False, "seconds": 0.5,
    }  # fmt: skip
    assert [row["result"] for row in shown["rows"]] == ["passed", "failed", "skipped"]
    good, failed, skipped = shown["rows"]
    assert good == {
        "kind": "good",
        "title": "good certificate",
        "site": "panel",
        "endpoint": "127.0.0.1:8443",
        "tls": "1.2",
        "expected": "admitted",
        "observed": "200, verify=SUCCESS",
        "result": "passed",
        "skipped": None,
        "cause": None,
        "fix": None,
        "why": good["why"],
        "seconds": 0.012,
    }
    assert failed["cause"]
    assert failed["fix"]
    assert skipped["skipped"] == "no identity"


def test_plain_rows_have_no_tls_version() -> None:
    """Null, as the page of the format says."""
    row = skip(row_of(RowKind.REDIRECT), "x")
    assert proof_to_json(Proof("panel", (row,), 0))["rows"][0]["tls"] is None
