"""Edits that have clients verified: by a switch that is there, as another server does it, or by the issuer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.nginx.lint.edit import insert_before, insert_into, render_line, replace_word
from counterseal.nginx.render.words import exact, interpolate, pattern
from counterseal.pki.subject import nginx_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cryptography import x509

    from counterseal.nginx.lint.edit import Edit
    from counterseal.nginx.lint.level import Level
    from counterseal.nginx.lint.model import Server
    from counterseal.nginx.tree import Directive

INSISTING = "which CA issues the clients: optional_no_ca takes certificates of any"
_SETTINGS = (
    "ssl_client_certificate", "ssl_trusted_certificate", "ssl_crl", "ssl_verify_depth",
    "ssl_ocsp", "ssl_ocsp_responder", "ssl_ocsp_cache", "ssl_verify_client",
)  # fmt: skip


def insisting(level: Level, switch: Directive) -> tuple[Edit, ...]:
    """Return the edits that turn ``ssl_verify_client optional``, or ``optional_no_ca``, into ``on``."""
    is_named = any(level.file(name) for name in ("ssl_client_certificate", "ssl_trusted_certificate"))
    ca = () if is_named else (insert_before(switch, "ssl_client_certificate <client-ca.pem>;"),)
    return (*ca, replace_word(switch, 0, "on"))


def verified_alike(server: Server, example: Server) -> tuple[Edit, ...]:
    """Return the edits that have a server verify its clients as another one does."""
    edits: list[Edit] = []
    for name in _SETTINGS:
        wanted, has = example.level.effective(name), server.level.effective(name)
        own = server.level.here(name)
        if wanted is not None and wanted.arguments and (has is None or has.arguments != wanted.arguments):
            line = render_line(wanted)
            edits += (replace_word(own[-1], 0, wanted.words[1].raw),) if own else insert_into(server.level, line)
    return tuple(edits)


def redirect_to(server: Server) -> str:
    """Return what sends clients of a plain socket to the first TLS socket of a server, which verifies them."""
    ports = (listen.socket.rpartition(":")[2] for listen in server.listens if "ssl" in listen.parameters)
    port = next((text for text in ports if text.isdecimal() and text != "443"), "")
    return f"return 308 https://$host{f':{port}' if port else ''}$request_uri;"


def pinned(server: Server, issuers: Iterable[x509.Name]) -> tuple[Edit, ...]:
    """Return the edits that have a server refuse clients whose certificate none of these CAs issued.

    A stream server has no ``if``: what is refused there is passed on to nowhere.
    """
    one_of = "|".join(exact(nginx_name(issuer)) for issuer in issuers)
    expression = f"^(?:{one_of}){'' if server.verify == 'on' else '?'}\\z"
    if server.kind != "stream":
        return insert_into(server.level, f"if ($ssl_client_i_dn !~ {interpolate(expression)}) {{ return 403; }}")
    variable = f"$admitted_{server.block.line}"
    targets = server.level.here("proxy_pass")
    text = f"map $ssl_client_i_dn {variable} {{ {pattern(expression)} {targets[0].words[1].raw}; }}" if targets else ""
    return (insert_before(server.block, text), replace_word(targets[0], 0, variable)) if targets else ()
