"""The error that a command ends with."""


class CommandError(RuntimeError):
    """What a person can act on: one line that says what, what was found, and what to do."""
