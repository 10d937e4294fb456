"""``counterseal sign``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from counterseal.authority.credential import credential_of
from counterseal.authority.order import left_out_of, name_of_csr, order_from_csr
from counterseal.bundles.pem import pem_files
from counterseal.cli.common import DIRECTORY, DurationType, Run, common
from counterseal.cli.completions import complete_cas, complete_profiles
from counterseal.cli.dry_run import dry_run_option
from counterseal.cli.given import given_files
from counterseal.cli.issuing import Destination, Order, issue_files, show_issued
from counterseal.errors import InputError, encoding_hint, shell_line
from counterseal.pki.csr import parse_csr
from counterseal.pki.policy import staple_reasons
from counterseal.pki.recognise import recognise

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from counterseal.authority.inspected import GivenFile
    from counterseal.findings import Finding
    from counterseal.pki.csr import CSR
    from counterseal.pki.policy import Asked

MUST_STAPLE = "must-staple (tlsfeature status_request)"
EPILOG = """\b
Examples:
  counterseal sign panel.csr --profile server
  counterseal sign alice.csr --profile client --group ops --out handout/
  ssh panel cat panel.csr | counterseal sign - --profile server
"""


@click.command(epilog=EPILOG)
@click.argument("csr_file", metavar="FILE.csr|-", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@click.option(
    "--profile",
    shell_complete=complete_profiles,
    required=True,
    help="What it is for: server, client, or a profile of counterseal.toml.",
)
@click.option("--name", help="What to call it.  [default: the CSR's common name or first name]")
@click.option("--san", multiple=True, help="One more name; may be repeated.")
@click.option("--group", help="Group (OU) of a client; the CSR's own is never taken.")
@click.option("--subject", help="Subject instead of the CSR's common name.")
@click.option("--lifetime", type=DurationType(), help="How long it lives.  [default: the profile's]")
@click.option(
    "--issuer",
    shell_complete=complete_cas,
    help="CA that issues it.  [default: the active CA of the profile's purpose]",
)
@click.option("--out", type=DIRECTORY, default=Path(), help="Directory for the files.  [default: this one]")
@click.option("--force", is_flag=True, help="Replace files that exist.")
@dry_run_option
@common
def sign(
    run: Run,
    *,
    csr_file: Path,
    profile: str,
    name: str | None,
    san: tuple[str, ...],
    group: str | None,
    subject: str | None,
    lifetime: timedelta | None,
    issuer: str | None,
    out: Path,
    force: bool,
    dry_run: bool,
) -> None:
    """Sign a CSR whose key stays where it is.

    Of the CSR's subject only the common name is taken: nobody chooses his own group.
    """
    (given,) = given_files((csr_file,))
    csr = _csr_in(given)
    with run.authority() as authority:
        chosen = authority.profile(profile)
        asked = order_from_csr(chosen, csr, more_names=san, group=group, subject=subject, lifetime=lifetime)
        in_vain: tuple[Finding, ...] = ()
        if csr.must_staple:
            in_vain = (*staple_reasons(chosen, authority.issuer(issuer or authority.issuer_for(chosen.purpose))),)
        asked = asked._replace(must_staple=csr.must_staple and not in_vain)
        left_out = _tell_left_out(run, csr, asked, in_vain)
        order = Order(asked, Destination(out, force, dry_run), name or name_of_csr(csr), issuer, key_file=False)
        made = issue_files(
            run,
            authority,
            order,
            lambda issued: pem_files(credential_of(issued, None)),
            extra={"left_out": left_out},
        )
    if made:
        following = shell_line("counterseal", "inspect", made[1][0])
        show_issued(run, *made, extra={"left_out": left_out} if run.json else {}, following=following)


def _tell_left_out(run: Run, csr: CSR, asked: Asked, in_vain: Sequence[Finding]) -> tuple[str, ...]:
    """Say what the CSR wishes in vain, and return it; ``in_vain`` says why must-staple is."""
    lost = left_out_of(csr, asked)
    if lost:
        run.warn(
            f"of the CSR's subject this is left out: {', '.join(lost)}",
            "hint: nobody chooses his own group; what should stand there comes with --group or --subject",
        )
    if csr.unmet:
        run.warn(f"no certificate here gets what the CSR asks for: {', '.join(csr.unmet)}")
    for reason in in_vain:
        run.warn(f"must-staple is left out: {reason.message}", f"hint: {reason.hint}")
    return (*lost, *csr.unmet, *(MUST_STAPLE for _ in in_vain))


def _csr_in(given: GivenFile) -> CSR:
    """Return the CSR; of a file that holds none it is said which, and what is wrong with it."""
    try:
        return parse_csr(given.content)
    except InputError as error:
        if error.code != "csr.malformed":
            raise
        problem, hint = recognise(given.content)[0].problem, encoding_hint(given.content) or error.hint
        raise InputError("csr.malformed", f"{problem or error.message}: {given.name}", hint=hint) from error
