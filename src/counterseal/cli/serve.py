"""``counterseal serve``."""

from __future__ import annotations

from dataclasses import asdict
from importlib.util import find_spec
from typing import TYPE_CHECKING

import click

from counterseal.cli.common import Run, common
from counterseal.cli.exit_codes import DONE, USAGE
from counterseal.cli.program import program
from counterseal.cli.serve_unit import NAME, closed_to_others, code_read, unit_text
from counterseal.compose.extras import installing
from counterseal.errors import InputError, KeyAccessError, StoreError
from counterseal.service.settings import Address

if TYPE_CHECKING:
    from counterseal.compose.serve import Listening

NEEDLESS = ("sites", "nginx")
"""The sections without which the service does all but show what is in them."""

NEEDED = ("dns", "httptools", "joserfc", "prometheus_client", "starlette", "uvicorn", "uvloop")
EPILOG = """\b
Examples:
  counterseal serve
  counterseal serve --listen 0.0.0.0:443 --name ca.corp.example
  counterseal serve --passphrase-file /etc/counterseal/passphrase
  counterseal serve --print-unit > /etc/systemd/system/counterseal.service
"""


@click.command(epilog=EPILOG)
@click.option("--listen", metavar="ADDRESS", help="Where: 127.0.0.1:8443, [::]:443 or unix:/run/counterseal.sock.")
@click.option("--name", "names", multiple=True, help="What this service is called; may be repeated.")
@click.option("--print-unit", is_flag=True, help="Print the systemd unit that runs this, and do nothing else.")
@common
def serve(run: Run, *, listen: str | None, names: tuple[str, ...], print_unit: bool) -> int:
    """Serve the CA over the network: ACME, EST, OCSP, lists, an API.

    Runs until it is stopped: SIGTERM finishes what was begun, SIGHUP reads the own certificate again. That one is
    issued and renewed by the CA itself. Logs are lines of JSON on stderr. systemd is told when it is ready.
    """
    if print_unit:
        _print_unit(run)
        return DONE
    _require_extra()
    from counterseal.cli.run import report  # noqa: PLC0415 - it imports the commands' names, this one's included
    from counterseal.compose.serve import serve as run_service  # noqa: PLC0415 - 0.3 s that only a service needs

    settings = run.settings()
    settings.require(but=NEEDLESS)
    wanted = settings.serve
    if listen is not None:
        wanted = wanted._replace(listen=Address.parse(listen))
    if names:
        wanted = wanted._replace(names=tuple(name.lower() for name in names))
    settings, serving = settings._replace(said=settings.said._replace(serve=wanted)), False

    def started(listening: Listening) -> None:
        nonlocal serving
        serving = True
        text = f"serving {listening.url} on {listening.address}"
        text += f", lists and OCSP also on http://{listening.http_address}" if listening.http_address else ""
        text += f", metrics on http://{listening.metrics_address}/metrics" if listening.metrics_address else ""
        text += "".join(f"\n  {protocol:6}{url}" for protocol, url in listening.entries.items())
        run.show(asdict(listening), text)
        if settings.rules.published_at is None:
            missing = "names" if wanted.http_listen else "http_listen and names"
            run.say(f"hint: what is issued names neither list nor OCSP responder: set {missing} in [serve]")
        run.say("next: counterseal ca export > root.pem, which clients trust")

    try:
        run_service(run.home, settings, run.ask_passphrase, started=started)
    except (KeyAccessError, StoreError) as error:
        if isinstance(error, StoreError) and (
            serving or error.code != "store.moved" or run.settings().store != settings.store
        ):
            raise  # of a store that was moved meanwhile, the configuration may say where it is when started anew
        report(error, as_json=run.json)
        return USAGE  # as for a wrong setting: no restart mends a passphrase, and the unit makes none
    return DONE


def _print_unit(run: Run) -> None:
    code = code_read(program())
    file = run.passphrase_file and run.passphrase_file.absolute()
    unit = unit_text(program(), run.home.absolute(), file, code=code)
    run.show({"unit": unit}, unit.rstrip())
    if closed := closed_to_others(code):
        run.warn(
            f"the program lies where the service's user, {NAME}, may not look: {closed}",
            "hint: install it where all may read: python3 -m venv /opt/counterseal, and pip install in there",
        )
    if missing := _missing_extra():  # the unit is right all the same, and where stdout goes there was one perhaps
        run.warn(missing.message, f"hint: {missing.hint}")


def _require_extra() -> None:
    if missing := _missing_extra():
        raise missing


def _missing_extra() -> InputError | None:
    missing = [name for name in NEEDED if find_spec(name) is None]
    if not missing:
        return None
    return InputError(
        "serve.extra",
        f"what the service stands on is not installed: {', '.join(missing)}",
        hint=installing("serve"),
    )
