"""Reminders as work of the service: every few minutes, and with growing pauses while a receiver is down."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from counterseal.service.log import log, log_error
from counterseal.service.parts import Upkeep

if TYPE_CHECKING:
    from counterseal.authority.reminders.settings import ReminderSettings
    from counterseal.service.access import Access

SECONDS = 60.0
LONGEST_SECONDS = 6 * 3600.0


def reminding(access: Access, settings: ReminderSettings) -> list[Upkeep]:
    """Return the work; none where nobody is to be reminded."""
    if not settings.channels:
        return []
    return [Upkeep("reminders", SECONDS, Reminding(access, settings).run, at_once=True)]


class Reminding:
    """Sends what is due; after a failure the next try waits twice as long as the one before, six hours at most."""

    def __init__(self, access: Access, settings: ReminderSettings) -> None:
        self._access = access
        self._settings = settings
        self._pause = 0.0
        self._not_before = 0.0

    async def run(self) -> None:
        """Send, unless the pause after a failure is not over; in a thread, because receivers may be slow."""
        from counterseal.authority.reminders.send import send_reminders  # noqa: PLC0415 - mail only where it is sent

        now = asyncio.get_running_loop().time()
        if now < self._not_before:
            return
        failed = False
        for sent in await self._access.apart(lambda authority: send_reminders(authority, self._settings)):
            failed = failed or sent.again
            if sent.error is not None:
                log_error("reminder not sent", channel=sent.channel, code=sent.error.code, reason=sent.error.message)
            if sent.count:
                log("reminder sent", channel=sent.channel, count=sent.count)
        self._pause = min(max(2 * self._pause, SECONDS), LONGEST_SECONDS) if failed else 0.0
        self._not_before = now + self._pause
