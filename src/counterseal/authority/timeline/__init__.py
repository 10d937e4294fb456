"""What expires when: gathered from the store, and drawn on one axis of time."""
