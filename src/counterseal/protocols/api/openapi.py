"""The OpenAPI 3.1 document, made from the declared operations and the types that they read and answer. PURE."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from counterseal.protocols.api.operation import JSON
from counterseal.protocols.api.problems import Problem
from counterseal.protocols.api.reading import KEY_LIMIT
from counterseal.service.problems import MEDIA_TYPE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from counterseal.protocols.api.operation import Operation

    Document = dict[str, Any]

REFERENCE = "#/components/schemas/{name}"
_SHARED = {
    400: "The request does not fit this document.",
    401: "Nobody is known to be asking, or the client certificate or token does not stand.",
    403: "The role is not enough, or policy refuses.",
    429: "Too many requests of this caller.",
    503: "Busy, or a key or the store is out of reach: try again.",
}
"""What every operation may answer."""

_RETRIED = (429, 503)
_UNAUTHENTICATED = 401
_DONE = {200: "Done.", 201: "Made."}
_MADE = (201,)

_ABOUT = (
    "What the command line does, for programs. Callers are known by a client certificate of this CA, whose role is "
    "configured, or by an API token, which has one. A body or parameter that is not declared here is refused. Failures "
    "are problem documents (RFC 9457)."
)
_LINKED = {"serial_number": "/certificate/serial_number", "id": "/token/id", "api_token_id": "/api_token/id"}
"""Parameters in a path, and where the answer of what makes such a thing has their value."""

_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Makes a repetition safe: the same key with the same request has the same answer for a day, and "
    "nothing is issued twice.",
    "schema": {"type": "string", "minLength": 1, "maxLength": KEY_LIMIT, "pattern": "^[ -~]+$"},
}


def openapi(operations: Sequence[Operation], *, version: str, url: str = "/") -> Document:
    """Return the document; ``url`` is where the service is reached."""
    schemas, components = _schemas(operations)
    paths: Document = {}
    links = _links(operations)
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, schemas)
        if operation.status in _MADE:
            made = set(operation.answer.__struct_fields__)
            fitting = {name: link for part, name, link in links if part in made}
            paths[operation.path][operation.method.lower()]["responses"]["201"]["links"] = fitting
    return {
        "openapi": "3.1.0",
        "info": {"title": "Counterseal", "version": version, "description": _ABOUT},
        "servers": [{"url": url}],
        "security": [{"certificate": []}, {"token": []}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "certificate": {"type": "mutualTLS", "description": "A client certificate of this CA."},
                "token": {"type": "http", "scheme": "bearer", "description": "An API token, RFC 6750."},
            },
        },
    }


def _schemas(operations: Iterable[Operation]) -> tuple[dict[Any, Document], Document]:
    """Return the schema of each type that a body or an answer has, and what these refer to."""
    declared: list[Any] = [kind for one in operations for kind in (one.answer, one.body, one.rehearsal)]
    types = list(dict.fromkeys([Problem, *(kind for kind in declared if kind and not isinstance(kind, str))]))
    found, components = msgspec.json.schema_components(types, ref_template=REFERENCE)
    return dict(zip(types, found, strict=True)), dict(components)


def _links(operations: Iterable[Operation]) -> list[tuple[str, str, Document]]:
    """Return how to go on with what was made: its part of the answer, and the operation with its parameter."""
    return [
        (
            pointer.split("/")[1],
            one.name,
            {"operationId": one.name, "parameters": {parameter: f"$response.body#{pointer}"}},
        )
        for parameter, pointer in _LINKED.items()
        for one in operations
        if parameter in one.in_path
    ]


def _operation(operation: Operation, schemas: dict[Any, Document]) -> Document:
    described: Document = {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": f"{' '.join((operation.run.__doc__ or '').split())}\n\nNeeds the role `{operation.role}`.",
        "tags": [operation.path.split("/")[2]],
        "parameters": [*_parameters(operation), *([_KEY] if operation.idempotent else [])],
        "responses": _responses(operation, schemas),
    }
    if operation.body is not None:
        described["requestBody"] = {"required": True, "content": {JSON: {"schema": schemas[operation.body]}}}
    return described


def _parameters(operation: Operation) -> Iterable[Document]:
    (schema,), components = msgspec.json.schema_components([operation.parameters])
    fields = components[schema["$ref"].rpartition("/")[2]]
    for name, of_field in fields["properties"].items():
        shown, in_path = _without_null(of_field), name in operation.in_path
        yield {
            "name": name,
            "in": "path" if in_path else "query",
            "required": in_path,
            "description": shown.get("description", ""),
            "schema": {key: value for key, value in shown.items() if key != "description"},
        }


def _without_null(schema: Document) -> Document:
    """Return the schema of a parameter's text: an absent one is None here, and no text says null."""
    choices = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
    rest = {key: value for key, value in schema.items() if key != "anyOf" and (key, value) != ("default", None)}
    return {**choices[0], **rest} if len(choices) == 1 else schema


def _responses(operation: Operation, schemas: dict[Any, Document]) -> Document:
    if isinstance(operation.answer, str):
        schema: Document = {"type": "string", "contentMediaType": operation.media_type}
    else:
        schema = schemas[operation.answer]
    done: Document = {
        "description": _DONE[operation.status],
        "content": {operation.media_type: {"schema": schema}},
    }
    if operation.status in _MADE:
        done["headers"] = {"Location": {"schema": {"type": "string"}, "description": "Where it is shown, if anywhere."}}
    if operation.tagged:
        done["headers"] = {"ETag": {"schema": {"type": "string"}, "description": "For If-None-Match."}}
    problems = {**_SHARED, **operation.problems}
    if operation.body is not None:
        problems |= {408: "The body did not come in time.", 413: "The body is too large.", 415: "The body is no JSON."}
    responses: Document = {str(operation.status): done}
    responses |= {"304": {"description": "The client has this already."}} if operation.tagged else {}
    if operation.rehearsal is not None:
        content = {JSON: {"schema": schemas[operation.rehearsal]}}
        responses["200"] = {"description": "Rehearsed: nothing was issued or changed.", "content": content}
    for status in sorted(problems):
        responses[str(status)] = _problem(status, problems[status], schemas[Problem])
    return responses


def _problem(status: int, description: str, schema: Document) -> Document:
    described: Document = {"description": description, "content": {MEDIA_TYPE: {"schema": schema}}}
    if status in _RETRIED:
        seconds = {"type": "integer", "minimum": 1}
        described["headers"] = {"Retry-After": {"description": "Seconds.", "schema": seconds}}
    if status == _UNAUTHENTICATED:
        challenge = "How to authenticate, and what is wrong with a token (RFC 6750 3)."
        described["headers"] = {"WWW-Authenticate": {"description": challenge, "schema": {"type": "string"}}}
    return described
