"""The clients that are tried, the behaviours, and the verdicts. Nothing here starts a program."""
