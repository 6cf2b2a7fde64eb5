"""What can go wrong in a run, by name. Every message says what, what was found, and what to do."""


class ResyncError(Exception):
    """Base of every error that a run raises on purpose."""


class BadSettings(ResyncError):
    """The function's environment does not describe a deployment."""


class ReadFailed(ResyncError):
    """A part of the world could not be read whole; what it would have said is unknown, never empty."""


class Conflict(ResyncError):
    """Somebody else changed a record between our read and our write; nothing of that batch was applied."""


class ApplyFailed(ResyncError):
    """Route 53 refused or did not answer a change; the batches before it are applied."""


class NotConverged(ResyncError):
    """The records did not become true before the deadline."""
