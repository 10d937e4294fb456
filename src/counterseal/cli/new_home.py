"""What the commands share that make a new home: its ``--dry-run``, and what to settle before the first certificate."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from cryptography import x509

from counterseal.authority.publish import publish
from counterseal.cli.dry_run import show_dry_run, unseen
from counterseal.compose.home import new_home, refuse_occupied
from counterseal.compose.place import store_path
from counterseal.pki.subject import show_subject

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from counterseal.authority.parts import Authority
    from counterseal.cli.common import Run
    from counterseal.store.records import CARecord


def rehearse_home(run: Run, make: Callable[[Authority], Sequence[str]]) -> None:
    """Show what ``make``, which says what it did, would leave in the home; raises what it would raise there.

    All is made in a directory that is thrown away, so that nothing is guessed, with a store in a file wherever it will
    be; keys are encrypted under a passphrase that nobody learns, so that nobody is asked for one.
    """
    refuse_occupied(run.home)
    settings = run.settings()
    here = settings._replace(said=settings.said._replace(store=None))
    with TemporaryDirectory(prefix="counterseal-") as scratch:
        home, secret = Path(scratch) / "home", os.urandom(16).hex().encode()
        with new_home(home, lambda: secret, settings=here) as authority:
            acts = make(authority)
            publish(authority)
        acts = [*acts, *([f"keep them in {settings.store.url}"] if settings.store else [])]
        elsewhere = {store_path(home)} if settings.store else set()
        found = [path for path in sorted(home.rglob("*")) if path.is_file() and path not in elsewhere]
        files = [unseen(run.home / path.relative_to(home), size=path.stat().st_size, varies=True) for path in found]
    show_dry_run(run, acts=acts, files=files, document={"home": str(run.home)})


def say_unpublished(run: Run) -> None:
    """Say, where that is so, that what is issued names neither list nor responder: afterwards is too late for it.

    The issuing CAs are the first that would name one, the root's list: so it is said before they are made.
    """
    if run.settings().rules.published_at is None:
        run.tell(
            "note: certificates will name neither list nor OCSP responder. nginx needs neither; for others that do,"
            f" set http_listen and names under [serve] in {run.home / 'counterseal.toml'} first: what is issued before"
            " never does"
        )


def show_ca(record: CARecord) -> str:
    """Return the subject of a CA and until when it lives."""
    certificate = x509.load_der_x509_certificate(record.certificate)
    return f"{show_subject(certificate.subject)}, until {certificate.not_valid_after_utc:%Y-%m-%d}"
