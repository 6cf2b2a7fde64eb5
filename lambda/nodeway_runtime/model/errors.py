"""Errors of a resync run. Each message says what failed, what was found, and what to do."""


class ResyncError(Exception):
    """Base class of the errors that a run raises on purpose."""


class BadSettings(ResyncError):
    """The function's environment does not describe a deployment."""


class ReadFailed(ResyncError):
    """A source could not be read completely. Its content is unknown, not empty."""


class Conflict(ResyncError):
    """Another writer changed a record between the read and the write. Nothing of that batch was applied."""


class ApplyFailed(ResyncError):
    """AWS refused a change or did not answer it. The batches before it are applied."""


class NotConverged(ResyncError):
    """The records did not match the desired ones before the deadline."""
