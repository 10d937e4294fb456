"""What the owner of a bundle does with it on each device, step by step, as values.

Decides the words; who shows them (command line, download page, guide) only puts them out. The guide
``docs/guides/colleague.md`` holds the same steps, and a test keeps the two together.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from counterseal.bundles.export import ExportFormat
from counterseal.bundles.pem import file_stem
from counterseal.bundles.pkcs12 import Strength
from counterseal.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class DeviceHelp:
    """The steps for one kind of device; ``NAME`` in a text stands for the file name's stem.

    ``export_format`` and ``strength`` are what to hand out for it; ``root`` says where the root certificate goes,
    ``restart`` how the browser is made to look again, ``older`` when the compatible file is needed.
    """

    title: str
    export_format: ExportFormat
    strength: Strength
    steps: tuple[str, ...]
    root: str
    restart: str
    older: str


DEVICES: Mapping[str, DeviceHelp] = MappingProxyType(
    {
        "windows": DeviceHelp(
            title="Windows: Edge and Chrome",
            export_format=ExportFormat.P12,
            strength=Strength.MODERN,
            steps=(
                "Double-click NAME.p12, leave Current User chosen, and type the password when asked.",
                (
                    "Leave 'Automatically select the certificate store' chosen and finish. The certificate is now "
                    "under Personal. In a command prompt this does the same: certutil -user -importpfx NAME.p12"
                ),
                "To look: certmgr.msc, Personal, Certificates; its icon shows a small key.",
            ),
            root="Answer Yes when Windows asks whether to trust the root. If it did not ask and the browser calls the "
            "site insecure: certutil -user -addstore Root ca.pem",
            restart="Close all windows of the browser and open it again, then choose the certificate when the site "
            "asks.",
            older="Windows Server 2016, Windows 10 before version 1709 and everything older say that the password is "
            "wrong: they need the compatible file.",
        ),
        "macos": DeviceHelp(
            title="macOS: Safari and Chrome",
            export_format=ExportFormat.P12,
            strength=Strength.COMPATIBLE,
            steps=(
                (
                    "Open Keychain Access, choose the login keychain, then File, Import Items, NAME.p12, and type the "
                    "password. In a terminal this does the same: "
                    "security import NAME.p12 -f pkcs12 -k ~/Library/Keychains/login.keychain-db"
                ),
                "To look: login, My Certificates; unfold the certificate to see its private key.",
                (
                    "At the first visit macOS asks for the password of your login keychain, not of the file: type it "
                    "and choose Always Allow."
                ),
            ),
            root="Double-click ca.pem to add it to the login keychain, open it there, and under Trust choose Always "
            "Trust. In a terminal: "
            "security add-trusted-cert -r trustRoot -k ~/Library/Keychains/login.keychain-db ca.pem",
            restart="Quit the browser with Command-Q and open it again, then choose the certificate when the site "
            "asks.",
            older="Use the compatible file: many versions of macOS call the right password of a modern one wrong.",
        ),
        "ios": DeviceHelp(
            title="iPhone and iPad: Safari",
            export_format=ExportFormat.MOBILECONFIG,
            strength=Strength.COMPATIBLE,
            steps=(
                (
                    "Bring NAME.mobileconfig to the device by AirDrop, by mail or as a download in Safari, open it and "
                    "allow the profile."
                ),
                (
                    "Settings, Profile Downloaded (or General, VPN & Device Management), Install: type the code of the "
                    "device, then the password of the file. 'Not signed' is expected."
                ),
                "Use Safari: other browsers cannot reach certificates from a profile.",
            ),
            root="Settings, General, About, Certificate Trust Settings: switch the root on. The profile brings it, but "
            "only you can trust it.",
            restart="Close Safari in the app switcher and open it again, then choose the certificate when the site "
            "asks.",
            older="Use the compatible file inside the profile: many versions of iOS call the right password of a "
            "modern one wrong.",
        ),
        "android": DeviceHelp(
            title="Android: Chrome",
            export_format=ExportFormat.P12,
            strength=Strength.MODERN,
            steps=(
                "Copy NAME.p12 and ca.pem to the device; Android wants a screen lock before it keeps certificates.",
                (
                    "Settings, Security and privacy, More security settings, Encryption and credentials, Install a "
                    "certificate, VPN and app user certificate: choose NAME.p12, type the password and keep the name."
                ),
            ),
            root="In the same menu choose CA certificate, Install anyway, ca.pem. If the file is grey, rename it to "
            "ca.crt.",
            restart="Swipe Chrome away from the recent apps and open it again, then choose the certificate when the "
            "site asks.",
            older="Android 13 and older say that the password is wrong: they need the compatible file.",
        ),
        "firefox": DeviceHelp(
            title="Firefox on a computer",
            export_format=ExportFormat.P12,
            strength=Strength.MODERN,
            steps=(
                (
                    "Settings, Privacy and security, Connection and software security, Advanced settings, Manage "
                    "certificates, Your Certificates, Import: choose NAME.p12 and type the password. In older versions "
                    "the way is Privacy & Security, Certificates, View Certificates."
                ),
                "To look: the certificate is now listed under Your Certificates.",
            ),
            root="In the same window: Authorities, Import, ca.pem, and tick 'Trust this CA to identify websites'. "
            "Firefox keeps its own list beside that of the system.",
            restart="Quit Firefox and open it again, then choose the certificate when the site asks.",
            older="Firefox reads both files; the compatible one is never needed.",
        ),
        "chrome-linux": DeviceHelp(
            title="Chrome and Chromium on Linux",
            export_format=ExportFormat.P12,
            strength=Strength.MODERN,
            steps=(
                (
                    "Open chrome://certificate-manager, Your certificates, Import: choose NAME.p12 and type the "
                    "password. In older versions the page is chrome://settings/certificates."
                ),
                (
                    "In a terminal, with certutil and pk12util from libnss3-tools (Debian) or nss-tools (Fedora), this "
                    "does the same: pk12util -d sql:DIRECTORY -i NAME.p12"
                ),
                (
                    "DIRECTORY is ~/.pki/nssdb where that exists, else ~/.local/share/pki/nssdb (Chrome 146 and "
                    "newer). If neither exists: mkdir -p ~/.pki/nssdb && certutil -d sql:$HOME/.pki/nssdb -N "
                    "--empty-password. Snaps and Flatpaks have their own: use the page."
                ),
            ),
            root="In the same page under Local certificates, Custom, Trusted certificates: import ca.pem. In a "
            "terminal: certutil -d sql:DIRECTORY -A -t C,, -n counterseal-root -i ca.pem",
            restart="Close all windows of the browser and open it again, then choose the certificate when the site "
            "asks.",
            older="Chrome on Linux reads both files; the compatible one is never needed.",
        ),
    }
)


def steps(device: str, credential_name: str) -> str:
    """Return the numbered steps for ``device`` with the file names filled in, one line each, ending in a newline.

    Raises InputError ``bundle.device`` that lists the devices there are.
    """
    help_text = DEVICES.get(device)
    if help_text is None:
        raise InputError(
            "bundle.device", f"no steps for this device: {device!r}", hint=f"choose one of {', '.join(DEVICES)}"
        )
    lines = [*help_text.steps, f"The root: {help_text.root}", help_text.restart]
    numbered = "".join(f"{number}. {line}\n" for number, line in enumerate(lines, start=1))
    return f"{numbered}\n{help_text.older}\n".replace("NAME", file_stem(credential_name))
