"""``counterseal renew --server``: on a machine that has no CA, with the certificate that is there as proof."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from counterseal.agent.address import ServerAddress
from counterseal.agent.place import Place, only_stem
from counterseal.agent.renew import Manner, Renewed, done, is_announced, renew
from counterseal.bundles.pem import file_stem
from counterseal.cli.enroll import held_document, show_held
from counterseal.cli.passphrase import choose_password
from counterseal.compose.place import now
from counterseal.errors import FileError
from counterseal.files import read_file
from counterseal.pki.keys import parse_key_spec

if TYPE_CHECKING:
    from pathlib import Path

    from counterseal.cli.common import Run


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What was said on the command line, for a renewal by a CA elsewhere."""

    server: str
    name: str | None
    out: Path
    if_due: bool
    keep_key: bool
    key: str | None
    ca: Path | None
    password_file: Path | None
    then: str | None


def renew_elsewhere(run: Run, given: Elsewhere) -> None:
    """Renew the credential in ``out``, say what became of it, and do what is to be done after it."""
    place = Place(given.out, only_stem(given.out) if given.name is None else file_stem(given.name))
    manner = Manner(
        keep_key=given.keep_key,
        spec=parse_key_spec(given.key) if given.key is not None else None,
        only_if_due=given.if_due,
        anchors=read_file(given.ca) if given.ca is not None else None,
        password=choose_password(given.password_file) if given.password_file is not None else None,
        announce=given.then is not None,
    )
    renewed = renew(ServerAddress.parse(given.server), place, manner, now=now())
    if given.then is not None and is_announced(place):
        _run(given.then)
        done(place)
    _show(run, renewed)


def _show(run: Run, renewed: Renewed) -> None:
    if renewed.held is None:
        until, due = renewed.before.certificate.not_valid_after_utc, renewed.before.due_at
        text = f"nothing to do: valid until {until:%Y-%m-%d %H:%M} UTC, due from {due:%Y-%m-%d %H:%M} UTC"
        run.show({"renewed": False, "certificate": held_document(renewed.before.certificate)}, text)
        return
    if renewed.new_root:
        run.say("warning: the CA has a new root; the service, which the root before vouched for, brought it")
    show_held(run, "renewed", renewed.held, extra={}, following="")


def _run(command: str) -> None:
    """Run what was given with --then by the shell, its output on our stderr."""
    ran = subprocess.run(["/bin/sh", "-c", command], stdout=2, check=False)
    if ran.returncode != 0:
        raise FileError(
            "renew.then",
            f"the certificate is renewed, but the command after it failed with exit code {ran.returncode}: {command}",
            hint="run it again; the next renewal runs it too, also when nothing is due",
        )
