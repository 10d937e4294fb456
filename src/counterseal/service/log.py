"""One JSON object a line on stderr. What is logged is named field by field: no secret slips in with an object."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

LOGGER = "counterseal.serve"
_FORMAT = logging.Formatter()


class JSONLines(logging.Formatter):
    """Formats a record with its ``fields``."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line of JSON."""
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["traceback"] = _FORMAT.formatException(record.exc_info)
        return json.dumps(line, default=str)


def start_logging() -> None:
    """Send our own lines and the server's warnings to stderr."""
    output = logging.StreamHandler(sys.stderr)
    output.setFormatter(JSONLines())
    for name, level in ((LOGGER, logging.INFO), ("uvicorn", logging.WARNING)):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [output], False
        logger.setLevel(level)


def log(event: str, /, level: int = logging.INFO, *, exc_info: bool = False, **fields: object) -> None:
    """Write one line: what happened, and its fields."""
    logging.getLogger(LOGGER).log(level, event, extra={"fields": fields}, exc_info=exc_info)
