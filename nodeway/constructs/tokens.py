"""Names of constructs out of values that only the deploy may know. A token must never be a part of an id."""

import aws_cdk as cdk


def plain_id(value: str, instead: str) -> str:
    """The value where it is plain text; `instead`, which the caller keeps unique, where it is a token."""
    return instead if cdk.Token.is_unresolved(value) else value
