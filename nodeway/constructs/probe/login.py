"""Credentials that the probe uses for the nodes."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ProbeLogin:
    """The `username` and `password` of a secret, or a user with IAM authentication.

    Without either the probe asks no node who it is.
    """

    secret_arn: str | None = None
    iam_username: str | None = None

    @property
    def exists(self) -> bool:
        """Whether the probe can log in."""
        return bool(self.secret_arn or self.iam_username)
