"""All that the command line does is an operation of the API, or the guide says why it is none."""

from __future__ import annotations

import json
import re

import generate_docs
from architecture.source_tree import ROOT

OPERATIONS = {
    "ca export": "get /v1/cas/{name}",
    "ca list": "get /v1/cas",
    "ca show": "get /v1/cas/{name}",
    "server": "post /v1/credentials",
    "client": "post /v1/credentials",
    "sign": "post /v1/certificates",
    "export": "post /v1/certificates/{serial_number}/export",
    "token list": "get /v1/tokens",
    "token make": "post /v1/tokens",
    "token revoke": "post /v1/tokens/{id}/revoke",
    "list": "get /v1/certificates",
    "show": "get /v1/certificates/{serial_number}",
    "nginx generations": "get /v1/nginx/generations",
    "nginx render": "get /v1/nginx/configuration",
    "nginx status": "get /v1/nginx/status",
    "api token add": "post /v1/api-tokens",
    "api token list": "get /v1/api-tokens",
    "api token revoke": "post /v1/api-tokens/{api_token_id}/revoke",
    "revoke": "post /v1/certificates/{serial_number}/revoke",
    "unrevoke": "post /v1/certificates/{serial_number}/unrevoke",
    "renew": "post /v1/certificates/{serial_number}/renew",
    "rekey": "post /v1/certificates/{serial_number}/rekey",
    "crl": "post /v1/crls",
    "log show": "get /v1/key-uses",
    "log verify": "get /v1/key-uses/verification",
}


def left_out() -> set[str]:
    """Return what the first column of the guide's last table names."""
    guide = (ROOT / "docs" / "guides" / "api.md").read_text()
    rows = re.findall(r"^\| (.+?) \| .+ \|$", guide.partition("## What is not there, on purpose")[2], re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row)}


def test_every_command_is_an_operation_or_left_out_on_purpose() -> None:
    """A group that is left out is with all its commands."""
    paths = [
        path.removeprefix("counterseal ")
        for path, command, _ in generate_docs.find_commands()
        if not hasattr(command, "commands")
    ]
    named = left_out()
    told = [
        path for path in paths if path in OPERATIONS or any(path == one or path.startswith(f"{one} ") for one in named)
    ]
    assert [path for path in paths if path not in told] == []
    assert set(OPERATIONS) <= set(paths)


def test_the_operations_are_there() -> None:
    """As the OpenAPI document has them."""
    document = json.loads((ROOT / "docs" / "openapi.json").read_text())
    there = {f"{method} {path}" for path, methods in document["paths"].items() for method in methods}
    assert set(OPERATIONS.values()) <= there
