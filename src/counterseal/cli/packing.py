"""What ``client``, ``rekey`` and ``renew`` share: whether a PKCS#12 is made beside the PEM files, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict, TypeVar

import click

from counterseal.authority.credential import credential_of
from counterseal.bundles.pem import pem_files
from counterseal.bundles.pkcs12 import Packing, Strength, browser_key_refusal, checked_rounds, encode
from counterseal.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes, PublicKeyTypes

    from counterseal.authority.signing import Issued
    from counterseal.cli.passphrase import PasswordSource
    from counterseal.fileset import FileSet

DEVICE_NAMES = ("windows", "macos", "ios", "android", "firefox", "chrome-linux")
"""Those of ``bundles.device_help``, which is loaded only for its steps."""
ALL_DEVICES = "all"
Command = TypeVar("Command", bound="Callable[..., Any]")


class _Device(click.Choice[str]):
    """One of the devices, or ``ALL_DEVICES``, which is the option without one and not told among them."""

    def __init__(self) -> None:
        super().__init__(DEVICE_NAMES)

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the device, or fail with those there are."""
        return value if value == ALL_DEVICES else super().convert(value, param, ctx)


def device_option(help_text: str) -> Callable[[Command], Command]:
    """Return the option ``--help-device [DEVICE]``."""
    return click.option("--help-device", is_flag=False, flag_value=ALL_DEVICES, type=_Device(), help=help_text)


rounds_option = click.option(
    "--p12-rounds",
    type=int,
    metavar="N",
    help="Key derivation of the PKCS#12, 2048 to 300000 rounds.  [default: 20000]",
)


class Said(TypedDict):
    """What the options of ``client`` say of a PKCS#12."""

    p12: bool
    compatible: bool
    p12_rounds: int | None
    password: PasswordSource
    help_device: str | None


def packing_of(
    said: Said,
    public_key: Callable[[], PublicKeyTypes],
    *,
    password: PasswordSource | None,
    before_asking: Callable[[], None] | None = None,
) -> Packing | None:
    """Return how the PKCS#12 of a new client is made, see ``choose_packing``; None for none."""
    if not said["p12"]:
        refuse_packing(said["password"], compatible=said["compatible"] or None, rounds=said["p12_rounds"])
        return None
    strength = Strength.COMPATIBLE if said["compatible"] else _strength_for(said["help_device"])
    return choose_packing(
        public_key(), strength, rounds=said["p12_rounds"], password=password, before_asking=before_asking
    )


def _strength_for(device: str | None) -> Strength:
    if device is None:
        return Strength.MODERN
    from counterseal.bundles.device_help import DEVICES  # noqa: PLC0415 - only where it is asked for

    return DEVICES[device].strength


def choose_packing(
    public_key: PublicKeyTypes,
    strength: Strength,
    *,
    rounds: int | None,
    password: PasswordSource | None,
    before_asking: Callable[[], None] | None = None,
) -> Packing:
    """Return how a PKCS#12 with such a key is made; without ``password`` it is made later, for each file its own.

    Raises RefusedError ``bundle.browser_key``, and what ``before_asking`` does, before anybody types a password.
    """
    if refusal := browser_key_refusal(public_key):
        raise RefusedError("bundle.browser_key", refusal, hint="use --key p-256, or --no-p12 for a program")
    checked = checked_rounds(rounds)
    if password is not None and password.ask and before_asking is not None:
        before_asking()
    return Packing(strength, checked, None if password is None else password.choose())


def refuse_packing(password: PasswordSource, *, compatible: bool | None, rounds: int | None) -> None:
    """Refuse what was said of a PKCS#12 where none is made; ``compatible`` is None where nothing was said of that."""
    said = {
        "a password": password.given,
        "--compatible": compatible is True,
        "--modern": compatible is False,
        "--p12-rounds": rounds is not None,
    }
    for what, is_said in said.items():
        if is_said:
            raise click.UsageError(f"{what} is for a PKCS#12, and --no-p12 makes none")


def pack(
    issued: Issued, key: CertificateIssuerPrivateKeyTypes | None, packing: Packing | None, *, key_file: bool = True
) -> FileSet:
    """Return the files of an issued certificate, with a PKCS#12 where one is to be made."""
    credential = credential_of(issued, key)
    packed = None
    if packing is not None and packing.password is not None:
        packed = encode(credential, packing.password, strength=packing.strength, rounds=packing.rounds)
    return pem_files(credential if key_file else credential_of(issued, None), pkcs12=packed)
