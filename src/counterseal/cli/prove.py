"""``counterseal prove``."""

from __future__ import annotations

import click

from counterseal.authority.deployment import prove_in_force
from counterseal.cli.common import Run, common
from counterseal.cli.proofs import table
from counterseal.compose.ground import open_ground
from counterseal.errors import NotFoundError
from counterseal.handshake.proof_json import proof_to_json

EPILOG = """\b
Examples:
  counterseal prove
  counterseal prove panel --json
"""


@click.command(epilog=EPILOG)
@click.argument("site", required=False)
@common
def prove(run: Run, *, site: str | None) -> int:
    """Prove with real handshakes who gets into the sites, and who does not.

    Exit code 3 when a row is not as expected.
    """
    settings = run.settings()
    served = [one for one in settings.sites if site in {None, one.site.name}]
    if not served:
        known = ", ".join(one.site.name for one in settings.sites) or "none"
        raise NotFoundError("site.unknown", f"no such site: {site!r}", hint=f"configured are: {known}")
    with run.authority() as authority:
        proofs = prove_in_force(authority, served, open_ground(run.home, settings))
    passed = all(proof.passed for proof in proofs)
    run.show({"passed": passed, "proofs": [proof_to_json(proof) for proof in proofs]}, table(proofs))
    return 0 if passed else 3
