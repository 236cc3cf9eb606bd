"""Access, pure: who may be given what, by whom, and why. No I/O, no clock, no randomness."""
