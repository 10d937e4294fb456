"""Reminders of what ends: found (``due``), written (``message``), and sent once (``send``) by webhook or mail."""
