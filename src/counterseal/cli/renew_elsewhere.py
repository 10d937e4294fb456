"""``counterseal renew --server``: on a machine that has no CA, with the certificate that is there as proof."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from counterseal.agent.address import ServerAddress
from counterseal.agent.place import Place, only_stem
from counterseal.agent.renew import Manner, Renewed, done, is_announced, rehearse, renew
from counterseal.bundles.pem import file_stem
from counterseal.cli.dry_run import show_dry_run
from counterseal.cli.enroll import held_document, planned_files, show_held
from counterseal.compose.place import now
from counterseal.errors import FileError
from counterseal.files import read_file
from counterseal.moments import show_moment
from counterseal.pki.keys import parse_key_spec

if TYPE_CHECKING:
    from pathlib import Path

    from counterseal.agent.renew import AtHand
    from counterseal.agent.trust import Trust
    from counterseal.cli.common import Run
    from counterseal.cli.passphrase import PasswordSource


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
    password: PasswordSource
    then: str | None
    dry_run: bool


def renew_elsewhere(run: Run, given: Elsewhere) -> None:
    """Renew the credential in ``out``, say what became of it, and do what is to be done after it."""
    place = Place(given.out, only_stem(given.out) if given.name is None else file_stem(given.name))
    manner = Manner(
        keep_key=given.keep_key,
        spec=parse_key_spec(given.key) if given.key is not None else None,
        only_if_due=given.if_due,
        anchors=read_file(given.ca) if given.ca is not None else None,
        password=given.password.choose() if given.password.given else None,
        announce=given.then is not None,
    )
    server = ServerAddress.parse(given.server)
    if given.dry_run:
        _show_rehearsal(run, *rehearse(server, place, manner, now=now()), place, given)
        return
    renewed = renew(server, place, manner, now=now())
    if given.then is not None and is_announced(place):
        _run(given.then)
        done(place)
    _show(run, renewed)


def _show_rehearsal(run: Run, before: AtHand, trusted: Trust | None, place: Place, given: Elsewhere) -> None:
    if trusted is None:
        document = {"renewed": False, "certificate": held_document(before.certificate)}
        show_dry_run(run, acts=[f"do nothing: due from {show_moment(before.due_at)}"], document=document)
        return
    key = "the same key" if given.keep_key else "a new key"
    acts = [f"ask {given.server} for the next certificate of {place.stem}, for {key}"]
    acts += [f"run: {given.then}"] if given.then else []
    files = planned_files(place.directory, place.stem, trusted, with_pkcs12=given.password.given)
    if given.keep_key:
        files = [one._replace(change="same") if one.path.endswith(".key.pem") else one for one in files]
    show_dry_run(run, acts=acts, files=files)


def _show(run: Run, renewed: Renewed) -> None:
    if renewed.held is None:
        until, due = renewed.before.certificate.not_valid_after_utc, renewed.before.due_at
        text = f"nothing to do: valid until {show_moment(until)}, due from {show_moment(due)}"
        run.show({"renewed": False, "certificate": held_document(renewed.before.certificate)}, text)
        return
    if renewed.new_root:
        run.warn("the CA has a new root; the service, which the root before vouched for, brought it")
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
