"""cdk-nag's AwsSolutions rules over every synth: a finding fails the synth unless it is acknowledged with a reason."""

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
