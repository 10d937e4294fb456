"""Nobody will know why a client was refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.edit import append_word, insert_into, replace_word
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.rule import Found, Rule, at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.edit import Edit
    from counterseal.nginx.lint.model import Configuration, Server
    from counterseal.nginx.tree import Directive

_TELLING = frozenset({"info", "debug"})


def check(configuration: Configuration) -> Iterator[Found]:
    """Find the error log, or without one the first server, that leaves the reason out for servers that verify."""
    for server in configuration.guarded if not configuration.is_fragment else ():
        logs = server.level.all("error_log")
        levels = {text for log in logs for text in log.arguments[1:]}
        if not levels & _TELLING and not _is_logged(configuration, server):
            asks = server.level.effective("ssl_verify_client") or server.block
            message = "why a client was refused is logged nowhere"
            if not logs:
                edits = insert_into(configuration.main, "error_log <error.log> info;")
                yield Found(at(asks), message, edits, decision="which file the errors go to, at that level")
                return
            yield Found(at(logs[-1]), message, (_telling(logs[-1]),))


def _telling(log: Directive) -> Edit:
    return replace_word(log, 1, "info") if len(log.arguments) > 1 else append_word(log, "info")


def _is_logged(configuration: Configuration, server: Server) -> bool:
    formats = {text for log in server.level.all("access_log") for text in log.arguments[1:2]}
    written = [one for name in formats if (one := configuration.log_formats.get(name))]
    return any("ssl_client_verify" in configuration.variables.behind(*one.arguments[1:]) for one in written)


RULE = Rule(
    code="mtls-verify-errors-invisible",
    severity=Severity.LOW,
    summary="Neither the error log nor the access log says why a client was refused.",
    evidence="The reasons of 495 and 496 are logged at level info; with the default level, error, not a line is "
    "written.",
    remedy="write error_log ... info; or put $ssl_client_verify and $ssl_client_s_dn into the log_format",
    reference="https://nginx.org/en/docs/ngx_core_module.html#error_log",
    check=check,
    fixes=(Applicability.MACHINE_APPLICABLE, Applicability.HAS_PLACEHOLDERS),
)
