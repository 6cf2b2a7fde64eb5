"""The errors that end a synth or a command. Each message is one line: what is wrong, what was found, what to do."""


class NodewayError(Exception):
    """A person can act on it; a command prints its message and exits with 1."""


class ConfigError(NodewayError):
    """The configuration, a context variable or the cluster itself does not allow a deployment."""


class CommandError(NodewayError):
    """A command cannot do what it was asked."""


def on_one_line(error: Exception) -> str:
    """The words of somebody else's error (boto3's, say) without its line breaks."""
    return " ".join(str(error).split())
