"""What holds for every test."""

from __future__ import annotations

import signal

# A shell that starts a job in the background has it ignore Ctrl-C, and every program that a test starts would inherit
# that: then none could be interrupted. A handler, unlike that, does not outlive exec.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
