"""The probe's credentials for the nodes."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ProbeLogin:
    """A secret with `username` and `password`, or a user with IAM authentication.

    Without either the probe verifies no node's identity.
    """

    secret_arn: str | None = None
    iam_username: str | None = None

    @property
    def exists(self) -> bool:
        """Whether the probe can log in."""
        return bool(self.secret_arn or self.iam_username)
