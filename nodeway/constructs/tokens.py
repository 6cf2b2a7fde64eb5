"""Construct ids of values that can be tokens. An id must not contain a token."""

import aws_cdk as cdk


def plain_id(value: str, instead: str) -> str:
    """Returns the value, or `instead` if it is a token. The caller makes `instead` unique."""
    return instead if cdk.Token.is_unresolved(value) else value
