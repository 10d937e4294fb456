"""A verified certificate as data for ``--json``; ``docs/verify.md`` documents every field."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.authority.verification_words import cause_of, error_message, is_too_deep, log_line, verify_variable
from counterseal.pki.names import show_name
from counterseal.pki.path.report_json import report_to_json
from counterseal.pki.subject import show_subject

if TYPE_CHECKING:
    from collections.abc import Sequence

    from counterseal.authority import verification_shapes as shapes
    from counterseal.authority.verification import AsNginx, Verified
    from counterseal.pki.openssl.verify import Verification


def verified_to_json(verified: Verified) -> shapes.Verified:
    """Return the verdict, the paths with every check, and the other voices."""
    given, opinion = verified.given, verified.opinion
    return {
        "valid": verified.valid,
        "purpose": given.purpose,
        "names": [show_name(name) for name in given.names],
        "at": given.at.isoformat(),
        "trusted": given.trusted_by,
        "strict": given.strict,
        "paths": [report_to_json(report) for report in verified.explanation.paths],
        "library": {"accepts": opinion.accepts, "reason": opinion.reason, "disagrees": opinion.disagrees},
        "openssl": _errors(verified.openssl),
        "older_openssl": None if verified.older_openssl is None else _errors(verified.older_openssl),
        "nginx": _nginx(verified.nginx, verified.other_nginx),
    }


def _errors(told: Verification) -> list[shapes.OpenSSLError]:
    return [{"error": error.value, "message": error_message(error), "depth": depth} for error, depth in told.errors]


def _nginx(told: AsNginx | None, others: Sequence[AsNginx]) -> shapes.NginxAnswer | None:
    if told is None:
        return None
    elsewhere = [_elsewhere(other) for other in others]
    if told.answer is None:
        return {"who": told.who, "emerg": told.emerg, "elsewhere": elsewhere}
    answer, cause = told.answer, cause_of(told.answer)
    return {
        "who": told.who,
        "emerg": None,
        "status": answer.status,
        "code": answer.code,
        "error": answer.error.value,
        "ssl_client_verify": verify_variable(answer),
        "log": log_line(answer),
        "cause": cause.cause if cause else None,
        "fix": cause.fix if cause else None,
        "chain": [show_subject(one.subject) for one in answer.verification.chain] if answer.verification else [],
        "too_deep": is_too_deep(answer),
        "undecided": [show_subject(issuer) for issuer in answer.undecided],
        "elsewhere": elsewhere,
    }


def _elsewhere(told: AsNginx) -> shapes.OtherNginx:
    if told.answer is None:
        return {"who": told.who, "emerg": told.emerg}
    return {
        "who": told.who,
        "emerg": None,
        "status": told.answer.status,
        "code": told.answer.code,
        "error": told.answer.error.value,
        "ssl_client_verify": verify_variable(told.answer),
    }
