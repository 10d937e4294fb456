"""Whether a certificate, under this very issuer path, is what it should be.

Run on the draft before a CA key signs it, and on any certificate a person asks about. A rule is a small function whose
docstring is its published description; ``RULES`` is the whole list, in the order they run.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from counterseal.pki.lint.form import FORM_RULES
from counterseal.pki.lint.issuance import ISSUANCE_RULES
from counterseal.pki.lint.linted import Linted
from counterseal.pki.lint.names import NAME_RULES
from counterseal.pki.lint.usage import USAGE_RULES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from cryptography import x509

    from counterseal.findings import Finding

RULES = (*ISSUANCE_RULES, *NAME_RULES, *USAGE_RULES, *FORM_RULES)


def lint(certificate: x509.Certificate, path: Sequence[x509.Certificate] = ()) -> tuple[Finding, ...]:
    """Return what is wrong with ``certificate``; ``path`` is its issuer first, up to the trust anchor.

    Without a path the rules that compare with the issuer say nothing. The signature itself is not looked at.
    """
    linted = Linted.of(certificate, path)
    return tuple(finding for rule in RULES for finding in rule(linted))


def lint_finished(
    certificate: x509.Certificate, path: Sequence[x509.Certificate] = (), *, at: datetime
) -> tuple[Finding, ...]:
    """Return what is wrong with a signed certificate at the moment ``at``: also signature, encoding and dates."""
    from counterseal.pki.lint.finished import FINISHED_RULES  # noqa: PLC0415 - issuance does not need them

    with warnings.catch_warnings(action="ignore", category=UserWarning):  # the findings say the same in words
        linted = Linted.of(certificate, path, at=at)
        return tuple(finding for rule in (*RULES, *FINISHED_RULES) for finding in rule(linted))
