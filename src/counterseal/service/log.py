"""One JSON object a line on stderr. What is logged is named field by field: no secret slips in with an object.

Our own lines are written here, which costs a third of what the standard library's loggers do; those carry the warnings
of the libraries below in the same form.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from contextlib import suppress
from datetime import UTC, datetime

import msgspec

_QUICK = msgspec.json.Encoder(enc_hook=str)
_ASCII = json.JSONEncoder(default=str)


class JSONLines(logging.Formatter):
    """Formats what a library logs like our own lines."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line of JSON."""
        trace = {"traceback": self.formatException(record.exc_info)} if record.exc_info else {}
        return _line(record.levelname.lower(), record.getMessage(), {"logger": record.name, **trace})


def start_logging() -> None:
    """Send the warnings of libraries, such as the server's or the database driver's, to stderr too."""
    output = logging.StreamHandler(sys.stderr)
    output.setFormatter(JSONLines())
    everything = logging.getLogger()
    everything.handlers = [output]
    everything.setLevel(logging.WARNING)


def log(event: str, /, **fields: object) -> None:
    """Write one line: what happened, and its fields."""
    _write(_line("info", event, fields))


def log_error(event: str, /, *, trace: bool = False, **fields: object) -> None:
    """Write one line about a failure; ``trace`` adds where the exception at hand came from."""
    shown = {"traceback": traceback.format_exc()} if trace else {}
    _write(_line("error", event, {**fields, **shown}))


def _write(line: str) -> None:
    with suppress(OSError):  # whoever read the log has gone away; the service has not
        sys.stderr.write(line + "\n")


def _line(level: str, event: str, fields: dict[str, object]) -> str:
    told = {"at": datetime.now(UTC).isoformat(timespec="milliseconds"), "level": level, "event": event, **fields}
    with suppress(UnicodeEncodeError):  # half a surrogate pair, as in the name of a file
        line = _QUICK.encode(told)
        if line.isascii():
            return line.decode()
    return _ASCII.encode(told)  # whatever the terminal or the file takes, it takes this
