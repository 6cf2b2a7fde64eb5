"""The lab's one error for people: what is wrong, what was found, what to do. It must never carry a secret."""


class LabError(RuntimeError):
    """The lab cannot go on; the message is one line that a person can act on."""
