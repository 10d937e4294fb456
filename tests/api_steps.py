"""For Schemathesis (SCHEMATHESIS_HOOKS): what is to be made is made, so that there are steps after it.

Of the bodies that only fit the document nearly none names a profile or has a CSR, and a chain of steps would end there.
"""

from __future__ import annotations

from typing import Any

import schemathesis

from counterseal.protocols.api.wishes import EXAMPLE_CSR

BODIES: dict[str, dict[str, Any]] = {
    "makeCredential": {"profile": "client", "name": "step", "packing": {"format": "pem"}},
    "signCSR": {"profile": "server", "csr": EXAMPLE_CSR},
    "createToken": {"profile": "client", "name": "step"},
    "createApiToken": {"name": "step", "role": "viewer"},
    "renewCertificate": {},
    "rekeyCertificate": {"packing": {"format": "pem"}},
}


@schemathesis.hook
def map_body(context: schemathesis.HookContext, body: object) -> object:
    """Return the body of what makes something; others stay as they are drawn."""
    operation = context.operation
    name = operation.definition.raw["operationId"] if operation is not None else ""
    return BODIES.get(name, body)
