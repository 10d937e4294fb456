"""nginx: what to write for it (pure), and at the edge how it is put in force, proved, and taken back."""
