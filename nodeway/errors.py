"""Errors that end a synth or a command. Each message is one line: the problem, the value found, the remedy."""


class NodewayError(Exception):
    """Base of errors that the user can fix. A command prints the message and exits with 1."""


class ConfigError(NodewayError):
    """The configuration, a context variable or the cluster itself does not allow a deployment."""


class CommandError(NodewayError):
    """A command cannot do what its arguments ask for."""


def format_error(error: Exception) -> str:
    """Returns the message of a third-party error (boto3's, for example) on one line."""
    return " ".join(str(error).split())
