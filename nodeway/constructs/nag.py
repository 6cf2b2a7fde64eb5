"""cdk-nag's AwsSolutions rules over every synth: a finding fails it, unless it is acknowledged here-
and-now with a true reason.
"""

import aws_cdk as cdk
from aws_cdk import Acknowledgment, Validations
from cdk_nag import AwsSolutionsChecks
from constructs import IConstruct


def review(app: cdk.App) -> None:
    """Makes the app's synth fail on any finding that is not acknowledged."""
    Validations.of(app).add_plugins(AwsSolutionsChecks(app, verbose=True))


def acknowledge(construct: IConstruct, rule: str, reason: str) -> None:
    """Accepts one rule's finding for one construct, with the reason that a reviewer reads."""
    Validations.of(construct).acknowledge(
        Acknowledgment(id=f"AwsSolutions::AwsSolutions-{rule}", reason=reason)
    )


def left_out(construct: IConstruct, check: str, reason: str) -> None:
    """Accepts one of checkov's findings for one resource, with the reason that a reviewer reads.

    https://www.checkov.io/2.Basics/Suppressing%20and%20Skipping%20Policies.html
    """
    resource = construct.node.default_child
    if not isinstance(resource, cdk.CfnResource):
        msg = f"{construct.node.path} is not one resource"
        raise TypeError(msg)
    resource.add_metadata("checkov", {"skip": [{"id": check, "comment": reason}]})
