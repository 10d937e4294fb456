"""Nobody gives away more than he has: what is issued over the API must not open more of it than its giver may. PURE."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.errors import RefusedError

if TYPE_CHECKING:
    from counterseal.protocols.api.operation import Call


def refuse_escalation(call: Call, subject: str, group: str | None, serial_number: int = 0) -> None:
    """Raise RefusedError ``api.escalation`` where a certificate that says this would be granted more than the caller.

    A serial number not yet drawn (0) fits no grant. To the bearer of an API token every granted certificate is more: it
    would outlive the token, and serve from networks where the token opens nothing.
    """
    for grant in call.parts.rules.grants_of(subject, group, serial_number):
        if call.caller.by_token or not call.caller.has(grant):
            raise RefusedError(
                "api.escalation",
                f"this certificate would have the role {grant.role} here, more than {call.caller.name} may give",
                hint="ask somebody who has that role for every profile, by certificate",
            )
