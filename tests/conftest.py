"""What holds for every test."""

from __future__ import annotations

import signal

from hypothesis import HealthCheck, settings

# A shell that starts a job in the background has it ignore Ctrl-C, and every program that a test starts would inherit
# that: then none could be interrupted. A handler, unlike that, does not outlive exec.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A busy machine is no fault of ours: how long one example takes says nothing about what it tests.
settings.register_profile("counterseal", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("counterseal")
