"""A real Firefox without a screen, told what to do over Marionette, the protocol that comes with it.

Each message is its length, a colon and a JSON array: ``[0, id, command, parameters]`` there, ``[1, id, error, result]``
back (https://firefox-source-docs.mozilla.org/testing/marionette/Protocol.html). The profile and all that Firefox writes
lies in a directory of the test. Scripts of the *chrome* context run with the rights of the browser itself, so that a
test presses no buttons: it calls what stands behind them.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

WITHIN = 120.0
PROGRAM = shutil.which("firefox-esr")
PREFERENCES: dict[str, str | int | bool] = {
    "marionette.port": 0,
    # asked for by the browser and not by the page, at some time after it
    "browser.chrome.site_icons": False,
    # what is shown was answered now
    "browser.cache.disk.enable": False,
    "browser.cache.memory.enable": False,
    # one connection for a page: none in advance, and no second one where the first takes long
    "network.http.connection-retry-timeout": 0,
    "network.http.speculative-parallel-limit": 0,
    "network.dns.localDomains": "panel.test,panel.prove.test",
    "security.default_personal_cert": "Select Automatically",
}


class FirefoxError(Exception):
    """Firefox could not do it, as to load a page that ends in one of its own error pages; WebDriver's word first."""


@dataclass
class Firefox:
    """A browser that runs, by the connection on which it takes commands."""

    connection: socket.socket
    answers: BinaryIO
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def tell(self, command: str, **parameters: object) -> Any:  # noqa: ANN401 - whatever JSON the command answers
        """Return the result of one command; raises FirefoxError."""
        number = next(self.numbers)
        content = json.dumps([0, number, command, parameters]).encode()
        self.connection.sendall(b"%d:%s" % (len(content), content))
        _, answered, error, result = self._read()
        assert answered == number
        if error is not None:
            raise FirefoxError(f"{error['error']}: {error['message']}")
        return result

    def _read(self) -> Any:  # noqa: ANN401 - JSON
        length = b""
        while (octet := self.answers.read(1)) != b":":
            assert octet, "Firefox ended"
            length += octet
        return json.loads(self.answers.read(int(length)))

    def greet(self) -> None:
        """Read what Firefox says first, and begin a session."""
        self._read()
        self.tell("WebDriver:NewSession", acceptInsecureCerts=False)
        self.tell("WebDriver:SetTimeouts", pageLoad=WITHIN * 1000, script=WITHIN * 1000)

    def open(self, url: str) -> None:
        """Load a page; raises FirefoxError where Firefox shows an error page of its own."""
        self.tell("WebDriver:Navigate", url=url)

    def ask(self, script: str, *arguments: object) -> Any:  # noqa: ANN401 - whatever the script returns
        """Return what the body of a function returns in the page."""
        return self.tell("WebDriver:ExecuteScript", script=script, args=list(arguments))["value"]

    def ask_browser(self, script: str, *arguments: object) -> Any:  # noqa: ANN401 - same
        """Return what the body of an asynchronous function returns in the browser itself."""
        self.tell("Marionette:SetContext", value="chrome")
        try:
            told = (
                f"const done = arguments[arguments.length - 1]; (async () => {{{script}}})().then("
                "value => done({value}), error => done({error: String(error)}))"
            )
            answer = self.tell("WebDriver:ExecuteAsyncScript", script=told, args=list(arguments))["value"]
        finally:
            self.tell("Marionette:SetContext", value="content")
        assert "error" not in answer, answer["error"]
        return answer.get("value")

    def text(self) -> str:
        """Return what a reader sees of the page."""
        seen: str = self.ask("return document.body.innerText")
        return seen

    def faults(self) -> list[str]:
        """Return what is wrong with how the page looks, and what the console says of it (``page_faults.js``)."""
        seen: list[str] = self.ask(_FAULTS)
        complaints: list[str] = self.ask_browser(_COMPLAINTS, self.ask("return location.href"))
        return seen + complaints

    def width(self, pixels: int) -> None:
        """Make the page so wide, also less than a window of Firefox can be."""
        self.ask_browser("gBrowser.selectedBrowser.style.maxWidth = `${arguments[0]}px`", pixels)
        deadline = time.monotonic() + WITHIN
        while self.ask("return innerWidth") != pixels:
            time.sleep(0.02)
            assert time.monotonic() < deadline, f"the page does not become {pixels} pixels wide"

    def prefer(self, scheme: Literal["light", "dark"]) -> None:
        """Set what the reader likes better."""
        value = {"dark": 0, "light": 1}[scheme]
        name = "layout.css.prefers-color-scheme.content-override"
        self.ask_browser("Services.prefs.setIntPref(arguments[0], arguments[1])", name, value)

    def import_pkcs12(self, path: Path, password: str) -> None:
        """Do what Import under Your Certificates does; once more is as good (``nsIX509CertDB``)."""
        assert self.ask_browser(_IMPORT_PKCS12, str(path), password) == 0

    def discard_own(self) -> None:
        """Delete every certificate with a key."""
        self.ask_browser(_DISCARD)

    def trust(self, root: Path) -> None:
        """Do what Import under Authorities does with the box for web sites ticked."""
        self.ask_browser(_TRUST, root.read_text())

    def forget(self) -> None:
        """Close all connections, and forget their sessions and which certificate was chosen, as closing it does."""
        self.ask_browser(_FORGET)


_FAULTS = Path(__file__).with_name("page_faults.js").read_text()
_COMPLAINTS = """
const errors = Services.console.getMessageArray().filter(one => one instanceof Ci.nsIScriptError);
return errors.filter(one => one.sourceName === arguments[0]).map(one => one.errorMessage);
"""
_DATABASE = 'Cc["@mozilla.org/security/x509certdb;1"].getService(Ci.nsIX509CertDB)'
_IMPORT_PKCS12 = f"""
const file = Cc["@mozilla.org/file/local;1"].createInstance(Ci.nsIFile);
file.initWithPath(arguments[0]);
return {_DATABASE}.importPKCS12File(file, arguments[1]);
"""
_TRUST = f"{_DATABASE}.addCertFromBase64(arguments[0].replace(/-----[^-]+-----|\\s/g, ''), 'C,,')"
_DISCARD = f"""
const own = {_DATABASE}.getCerts().filter(one => one.certType & Ci.nsIX509Cert.USER_CERT);
for (const one of own) {_DATABASE}.deleteCertificate(one);
"""
_FORGET = """
const { CLEAR_AUTH_TOKENS, CLEAR_CLIENT_AUTH_REMEMBER_SERVICE } = Ci.nsIClearDataService;
const flags = CLEAR_AUTH_TOKENS | CLEAR_CLIENT_AUTH_REMEMBER_SERVICE;
return new Promise(resolve => Services.clearData.deleteData(flags, resolve));
"""


@contextlib.contextmanager
def firefox(directory: Path) -> Iterator[Firefox]:
    """Run Firefox with a new profile in ``directory``, until the end of the block."""
    if PROGRAM is None:
        pytest.skip("no firefox-esr here (Ubuntu has only a snap, which cannot be given a profile in /tmp)")
    profile = directory / "profile"
    profile.mkdir()
    lines = (f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in PREFERENCES.items())
    (profile / "user.js").write_text("".join(lines))
    command = [PROGRAM, "--headless", "--no-remote", "--marionette", "-remote-allow-system-access"]
    with (directory / "firefox.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--profile", str(profile)],
            env={**os.environ, "HOME": str(directory), "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        place = ("127.0.0.1", _port(profile, process))
        with socket.create_connection(place, timeout=WITHIN) as connection, connection.makefile("rb") as answers:
            browser = Firefox(connection, answers)
            browser.greet()
            yield browser
            browser.tell("Marionette:Quit", flags=["eForceQuit"])
        process.wait(timeout=WITHIN)
    finally:
        process.kill()
        process.wait(timeout=WITHIN)


def _port(profile: Path, process: subprocess.Popen[bytes]) -> int:
    """Wait for the file in which Firefox tells the port that it chose."""
    deadline = time.monotonic() + WITHIN
    told = profile / "MarionetteActivePort"
    while not (told.exists() and told.read_text().strip()):
        assert process.poll() is None, (profile.parent / "firefox.log").read_text(errors="replace")
        assert time.monotonic() < deadline, "Firefox did not start in time"
        time.sleep(0.02)
    return int(told.read_text())
