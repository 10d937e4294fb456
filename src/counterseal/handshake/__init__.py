"""Real handshakes from outside: what nginx does to each kind of client, and whether it is what was meant."""
