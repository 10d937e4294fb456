"""``counterseal renew --server``: on a machine that has no CA, with the certificate that is there as proof."""

from __future__ import annotations

import subprocess
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
    from counterseal.agent.renew import AtHand
    from counterseal.agent.trust import Trust
    from counterseal.cli.common import Run
    from counterseal.cli.renew import RenewOptions


def renew_elsewhere(run: Run, url: str, options: RenewOptions) -> None:
    """Renew the credential in ``--out``, say what became of it, and do what is to be done after it."""
    out, name, key = options["out"], options["selector"], options["key"]
    anchors, password, then = options["ca"], options["password"], options["then"]
    place = Place(out, only_stem(out) if name is None else file_stem(name))
    manner = Manner(
        keep_key=options["keep_key"],
        spec=parse_key_spec(key) if key is not None else None,
        only_if_due=options["if_due"],
        anchors=read_file(anchors) if anchors is not None else None,
        password=password.choose() if password.given else None,
        announce=then is not None,
    )
    server = ServerAddress.parse(url)
    if options["dry_run"]:
        _show_rehearsal(run, url, *rehearse(server, place, manner, now=now()), place, options)
        return
    renewed = renew(server, place, manner, now=now())
    if then is not None and is_announced(place):
        _run(then)
        done(place)
    _show(run, renewed)


def _show_rehearsal(
    run: Run, url: str, before: AtHand, trusted: Trust | None, place: Place, options: RenewOptions
) -> None:
    if trusted is None:
        document = {"renewed": False, "certificate": held_document(before.certificate)}
        show_dry_run(run, acts=[f"do nothing: due from {show_moment(before.due_at)}"], document=document)
        return
    key = "the same key" if options["keep_key"] else "a new key"
    acts = [f"ask {url} for the next certificate of {place.stem}, for {key}"]
    acts += [f"run: {options['then']}"] if options["then"] else []
    files = planned_files(place.directory, place.stem, trusted, with_pkcs12=options["password"].given)
    if options["keep_key"]:
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
