"""Where the parts of one deployment are put: all in one stack, or each in a stack of its own.

A part is a construct with the id `Default` in the scope that it gets. So its logical ids are the same, whichever scope
that is below its stack.
"""

from dataclasses import dataclass
from typing import Protocol

import aws_cdk as cdk
from constructs import Construct, IConstruct

PART_ID = "Default"
"""The id of a part in its scope. The CDK leaves it out of logical ids."""


class Parts(Protocol):
    """Gives each part its scope."""

    def scope(self, part: str) -> Construct:
        """The scope of a part: `proxies`, `nodes-0001`, `dns`, …; the same scope is never given twice."""
        ...

    def prefix(self, scope: Construct) -> str:
        """What the names of resources in this scope begin with: unique in the account and Region."""
        ...


@dataclass(frozen=True, slots=True)
class InOneStack:
    """All parts in the stack of one construct."""

    owner: Construct
    name: str
    """Unique in the stack: it goes into names that AWS wants to be unique."""

    def scope(self, part: str) -> Construct:
        """A construct of the owner that is called after the part."""
        return Construct(self.owner, part)

    def prefix(self, scope: Construct) -> str:
        """The stack's name and the deployment's."""
        return f"{cdk.Stack.of(scope).stack_name}-{self.name}"


def deploy_after(later: IConstruct, *earlier: IConstruct) -> None:
    """Deploys a construct after others, and removes it before them."""
    own = cdk.Stack.of(later)
    for one in earlier:
        other = cdk.Stack.of(one)
        if other is own:
            later.node.add_dependency(one)
        else:
            # of the stacks, as a dependency between all their resources takes a minute with 500 nodes
            own.add_stack_dependency(other)
