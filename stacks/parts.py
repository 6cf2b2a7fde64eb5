"""A stack for each part."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from constructs import Construct


@dataclass(frozen=True, slots=True)
class StackPerPart:
    """Creates a stack NAME-PART for each part. `options` are the keyword arguments of every stack."""

    app: cdk.App
    name: str
    options: Mapping[str, Any]

    def scope(self, part: str) -> Construct:
        """Creates the stack of the part."""
        return cdk.Stack(self.app, f"{self.name}-{part}", **self.options)

    def prefix(self, scope: Construct) -> str:
        """Returns the stack's name, which is unique in the account and Region."""
        return cdk.Stack.of(scope).stack_name
