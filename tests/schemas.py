"""Hold what a command printed under ``--json`` to its published schema, closed: a key that is not in it is a fault."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema_rs import Draft202012Validator  # a hundred times as fast as jsonschema, and every output is held

SCHEMAS = Path(__file__).parent.parent / "docs" / "schemas"
COMMANDS = frozenset(path.stem for path in SCHEMAS.glob("*.json")) - {"error"}


@cache
def validator_of(command: str) -> Draft202012Validator:
    """Return the validator of a command's document."""
    schema: dict[str, Any] = json.loads((SCHEMAS / f"{command}.json").read_text())
    for each in (schema, *schema["$defs"].values()):
        if "properties" in each:
            each["additionalProperties"] = False
    return Draft202012Validator(schema, validate_formats=True)


def hold(command: str, document: object) -> None:
    """Fail with every place where the document is not as published."""
    faults = [f"{fault.instance_path}: {fault.message}" for fault in validator_of(command).iter_errors(document)]
    assert not faults, "\n".join(faults)
