"""The project and the account of a command, and its one-line errors."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest
from moto import mock_aws

from lab.layout import ROOT
from nodeway.cli.account import AwsAccount, Deployment, load_environment
from nodeway.config.loader import load
from nodeway.errors import CommandError
from nodeway_runtime.model.settings import Mode
from tests.support.fakes import NOW, ZONE, context
from tests.support.stubbed import StubbedSession
from tests.support.terminal import Terminal, write_project

if TYPE_CHECKING:
    import boto3


def test_environment_is_that_of_the_directory_else_of_the_repository(tmp_path: Path) -> None:
    write_project(tmp_path)

    assert load_environment("dev", tmp_path).clusters[0].replication_group_id == "demo"
    assert load_environment("prod", tmp_path / "elsewhere").account == "444455556666"


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"context": 1}'])
def test_invalid_project_is_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "cdk.json").write_text(text)

    with pytest.raises(CommandError, match="has no object context"):
        load_environment("dev", tmp_path)


def test_no_credentials_is_one_line(nodeway: Terminal, fake_aws: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        fake_aws.delenv(name)

    said = nodeway(None, "plan", "--env", "dev")

    assert (said.code, said.out) == (1, "")
    assert said.err == (
        "nodeway: no AWS credentials for account 111122223333:"
        " sign in (aws sso login), and set AWS_PROFILE\n"
    )


def test_unknown_profile_is_one_line(nodeway: Terminal, fake_aws: pytest.MonkeyPatch) -> None:
    fake_aws.setenv("AWS_PROFILE", "no-such")

    said = nodeway(None, "plan", "--env", "dev")

    assert said.code == 1
    assert said.err.startswith("nodeway: AWS does not take these credentials: ")
    assert "no-such" in said.err


@pytest.mark.usefixtures("fake_aws")
def test_credentials_of_another_account_are_refused(nodeway: Terminal) -> None:
    with mock_aws():
        said = nodeway(None, "plan", "--env", "dev")

    assert said.code == 1
    assert said.err == (
        "nodeway: these credentials are for account 123456789012, but environment dev"
        " is in 111122223333: set AWS_PROFILE\n"
    )


class Account(StubbedSession):
    """A session with credentials of the right account."""

    def __init__(self) -> None:
        super().__init__("sts", "cloudformation", "lambda", "elasticache", "route53", "ecs")
        user = {"Account": "111122223333", "Arn": "arn:aws:iam::111122223333:user/a", "UserId": "a"}
        self.answers("sts", "get_caller_identity", user)

    def answers_stack(self, **outputs: str) -> "Account":
        """Adds the answer for a stack with these outputs."""
        told = [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()]
        stack = {"StackName": "a", "CreationTime": NOW, "StackStatus": "UPDATE_COMPLETE"}
        return self.answers(
            "cloudformation", "describe_stacks", {"Stacks": [stack | {"Outputs": told}]}
        )

    def deployment(self) -> Deployment:
        """Reads the deployment of the cluster `demo` of `dev`."""
        return AwsAccount(load(context()), cast("boto3.Session", self)).deployment("demo")


def test_settings_are_those_of_the_deployed_function() -> None:
    variables = {
        "REPLICATION_GROUP_ID": "demo",
        "HOSTED_ZONE_ID": "Z0DEMO",
        "ZONE_NAME": ZONE,
        "ECS_CLUSTER": "nodeway",
        "TTL_SECONDS": "7",
        "RESYNC": "observe",
    }
    function = {"Environment": {"Variables": variables}}
    account = Account().answers_stack(ResyncFunction="f")
    account.answers("lambda", "get_function_configuration", function)

    settings = account.deployment().settings

    assert (settings.hosted_zone_id, settings.ttl_seconds) == ("Z0DEMO", 7)
    assert settings.mode is Mode.OBSERVE


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (
            lambda account: account.refuses(
                *("cloudformation", "describe_stacks", "ValidationError"),
                "Stack with id nodeway-dev-demo-resync does not exist",
            ),
            (
                "^nothing is deployed: account 111122223333, us-east-1 has no stack"
                " nodeway-dev-demo-resync; deploy it with cdk deploy -c env=dev --all$"
            ),
        ),
        (
            lambda account: account.refuses(
                "cloudformation", "describe_stacks", "AccessDenied", "not\nallowed"
            ),
            "^the deployment cannot be read: .* not allowed$",
        ),
        (
            lambda account: account.answers_stack(Other="x"),
            "has no output ResyncFunction: deploy it again",
        ),
        (
            lambda account: account.answers_stack(ResyncFunction="f").answers(
                "lambda", "get_function_configuration", {}
            ),
            "HOSTED_ZONE_ID is missing.*deploy the stack again",
        ),
    ],
    ids=["never deployed", "no permission", "an older version", "no settings"],
)
def test_unreadable_deployment_is_one_line(
    prepare: Callable[[Account], Account], message: str
) -> None:
    with pytest.raises(CommandError, match=message):
        prepare(Account()).deployment()


def test_command_does_not_import_the_cdk() -> None:
    """The import takes a second."""
    script = (
        "import sys, nodeway.cli.main; sys.exit('aws_cdk' in sys.modules or 'jsii' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False)

    assert done.returncode == 0
