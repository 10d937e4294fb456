"""What is written as SARIF is held to the schema of SARIF 2.1.0."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import jsonschema  # type: ignore[import-untyped] # it ships no types
import pytest

from counterseal.nginx.lint.catalogue import RULES
from counterseal.nginx.lint.engine import LintResult
from counterseal.nginx.lint.output.sarif import write_sarif
from nginx_lint_lab import list_cases, look, write_lab

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.engine import Located

SCHEMA = Path(__file__).parents[3] / "cases" / "sarif" / "sarif-2.1.0-rtm.5.json"


def is_uri(value: object) -> bool:
    """Whether it is absolute, of URI characters alone (RFC 3986 section 2)."""
    return is_reference(value) and (not isinstance(value, str) or urlsplit(value).scheme != "")


def is_reference(value: object) -> bool:
    """Whether it consists of URI characters alone."""
    return not isinstance(value, str) or (
        value.isascii() and value.isprintable() and not set(' "<>\\^`{|}') & set(value)
    )


FORMATS = jsonschema.FormatChecker()
FORMATS.checks("uri")(is_uri)
FORMATS.checks("uri-reference")(is_reference)


@pytest.mark.slow
def test_the_findings_of_every_rule_conform(tmp_path: Path) -> None:
    """In one log, also of files whose names are odd or no UTF-8; and the validation is one that can fail."""
    validator = jsonschema.Draft4Validator(json.loads(SCHEMA.read_text()), format_checker=FORMATS)
    write_lab(tmp_path)
    found: list[Located] = []
    for case in list_cases():
        conf = tmp_path / f"{case.code} a,b:c%\udce9.conf"
        found += look(case.text, conf, case.versions[0]).found
    log = json.loads(write_sarif(LintResult(tuple(found)), RULES, tool_version="0.1.0"))
    assert {one["ruleId"] for one in log["runs"][0]["results"]} == {rule.code for rule in RULES}
    assert list(faults(validator, log)) == []
    log["runs"][0]["tool"]["driver"]["rules"][0]["helpUri"] = "no uri"
    log["runs"][0]["results"][0]["level"] = "critical"
    assert len(list(faults(validator, log))) == 2


def faults(validator: jsonschema.Draft4Validator, log: object) -> Iterator[str]:
    """Yield what the schema minds, with its place."""
    yield from (f"{list(error.absolute_path)}: {error.message}" for error in validator.iter_errors(log))
