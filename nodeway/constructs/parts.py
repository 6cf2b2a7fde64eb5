"""The scopes of a deployment's parts: one stack for all, or a stack for each.

A part is a construct with the id `Default` in its scope, so that its logical ids do not depend on the scope.
"""

from dataclasses import dataclass
from typing import Protocol

import aws_cdk as cdk
from constructs import Construct, IConstruct

PART_ID = "Default"
"""The id of a part in its scope. The CDK omits it from logical ids."""


class Parts(Protocol):
    """Creates the scope of each part."""

    def scope(self, part: str) -> Construct:
        """Creates the scope of a part, such as `proxies`, `nodes-0001` or `dns`."""
        ...

    def prefix(self, scope: Construct) -> str:
        """Returns a prefix for names of resources in this scope, unique in the account and Region."""
        ...


@dataclass(frozen=True, slots=True)
class InOneStack:
    """Puts all parts into the stack of `owner`. `name` is unique in the stack, and part of the prefix."""

    owner: Construct
    name: str

    def scope(self, part: str) -> Construct:
        """Creates a construct in the owner."""
        return Construct(self.owner, part)

    def prefix(self, scope: Construct) -> str:
        """Returns the stack's name and that of the deployment."""
        return f"{cdk.Stack.of(scope).stack_name}-{self.name}"


def deploy_after(later: IConstruct, *earlier: IConstruct) -> None:
    """Deploys a construct after others, and deletes it before them."""
    own_stack = cdk.Stack.of(later)
    for construct in earlier:
        stack = cdk.Stack.of(construct)
        if stack is own_stack:
            later.node.add_dependency(construct)
        else:
            # a dependency between all resources of both stacks takes a minute with 500 nodes
            own_stack.add_stack_dependency(stack)
