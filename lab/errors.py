"""The lab's error for people: what is wrong, what was found, what to do."""

from nodeway.errors import NodewayError


class LabError(NodewayError):
    """The lab cannot go on; the message is one line that a person can act on."""
