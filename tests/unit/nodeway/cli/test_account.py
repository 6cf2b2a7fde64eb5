"""What a command finds of a deployment: the project here, the account of its credentials, or one line that helps."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from lab.layout import ROOT
from nodeway.cli.account import AwsAccount, load_environment
from nodeway.config.loader import load
from nodeway.errors import CommandError
from nodeway_runtime.model.settings import Mode
from tests.support.fakes import NOW, ZONE, context
from tests.support.terminal import Terminal, write_project


def test_environment_is_the_project_s_here_else_the_repository_s(tmp_path: Path) -> None:
    """`cdk.json` here counts; elsewhere it is the repository's own."""
    write_project(tmp_path)

    assert load_environment("dev", tmp_path).clusters[0].replication_group_id == "demo"
    assert load_environment("prod", tmp_path / "elsewhere").account == "444455556666"


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"context": 1}'])
def test_broken_project_is_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "cdk.json").write_text(text)

    with pytest.raises(CommandError, match="has no object context"):
        load_environment("dev", tmp_path)


def test_no_credentials_is_one_line(nodeway: Terminal, fake_aws: pytest.MonkeyPatch) -> None:
    """Nobody is asked for a key."""
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
    """A plan of the wrong account would be a plan of nothing."""
    with mock_aws():
        said = nodeway(None, "plan", "--env", "dev")

    assert said.code == 1
    assert said.err == (
        "nodeway: these credentials are for account 123456789012, but environment dev"
        " is in 111122223333: set AWS_PROFILE\n"
    )


class Scripted(boto3.Session):
    """A session whose clients answer what a test queues, and nothing else."""

    def __init__(self) -> None:
        super().__init__(region_name="us-east-1")
        self.stubs: dict[str, Stubber] = {}
        self.made: dict[str, Any] = {}

    def queue(self, service: str, action: str, answer: dict[str, Any]) -> None:
        """The next answer of a service."""
        self._stub(service).add_response(action, answer)

    def refuse(self, service: str, action: str, code: str, message: str) -> None:
        """The next answer of a service is an error."""
        self._stub(service).add_client_error(action, code, message)

    def _stub(self, service: str) -> Stubber:
        if service not in self.stubs:
            self.made[service] = super().client(service)
            self.stubs[service] = Stubber(self.made[service])
            self.stubs[service].activate()
        return self.stubs[service]

    def client(self, service: str, **options: Any) -> Any:  # type: ignore[override] # noqa: ANN401
        """The queued one, else a real one that nobody is going to ask."""
        return self.made.get(service) or super().client(service, **options)


@pytest.fixture
def session(fake_aws: pytest.MonkeyPatch) -> Scripted:
    """A session with credentials of the right account."""
    _ = fake_aws
    made = Scripted()
    who = {"Account": "111122223333", "Arn": "arn:aws:iam::111122223333:user/a", "UserId": "a"}
    made.queue("sts", "get_caller_identity", who)
    return made


def account(session: Scripted) -> AwsAccount:
    """The account of `dev`."""
    return AwsAccount(load(context()), session)


def stack(**outputs: str) -> dict[str, Any]:
    """DescribeStacks' answer for a stack with these outputs."""
    told = [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()]
    return {
        "Stacks": [
            {
                "StackName": "a",
                "CreationTime": NOW,
                "StackStatus": "UPDATE_COMPLETE",
                "Outputs": told,
            }
        ]
    }


def test_settings_are_those_of_the_deployed_function(session: Scripted) -> None:
    """What is in force is what the function has, not what cdk.json says by now."""
    variables = {
        "REPLICATION_GROUP_ID": "demo",
        "HOSTED_ZONE_ID": "Z0DEMO",
        "ZONE_NAME": ZONE,
        "ECS_CLUSTER": "nodeway",
        "TTL_SECONDS": "7",
        "RESYNC": "observe",
    }
    session.queue("cloudformation", "describe_stacks", stack(ResyncFunction="f"))
    session.queue("lambda", "get_function_configuration", {"Environment": {"Variables": variables}})

    found = account(session).deployment("demo").settings

    assert (found.hosted_zone_id, found.ttl_seconds, found.mode) == ("Z0DEMO", 7, Mode.OBSERVE)


def test_environment_that_was_never_deployed_is_one_line(session: Scripted) -> None:
    """It says which stack is not there, and how it would be."""
    missing = "Stack with id nodeway-dev-demo-resync does not exist"
    session.refuse("cloudformation", "describe_stacks", "ValidationError", missing)

    with pytest.raises(CommandError) as told:
        account(session).deployment("demo")

    assert str(told.value) == (
        "nothing is deployed: account 111122223333, us-east-1 has no stack"
        " nodeway-dev-demo-resync; deploy it with cdk deploy -c env=dev --all"
    )


def test_missing_permission_is_one_line(session: Scripted) -> None:
    session.refuse("cloudformation", "describe_stacks", "AccessDenied", "not\nauthorized")

    with pytest.raises(CommandError, match=r"^what is deployed cannot be read: .* not authorized$"):
        account(session).deployment("demo")


def test_stack_of_an_older_version_is_one_line(session: Scripted) -> None:
    session.queue("cloudformation", "describe_stacks", stack(Other="x"))

    with pytest.raises(CommandError, match="has no output ResyncFunction: deploy it again"):
        account(session).deployment("demo")


def test_function_without_settings_is_one_line(session: Scripted) -> None:
    session.queue("cloudformation", "describe_stacks", stack(ResyncFunction="f"))
    session.queue("lambda", "get_function_configuration", {})

    with pytest.raises(CommandError, match=r"HOSTED_ZONE_ID is missing.*deploy the stack again"):
        account(session).deployment("demo")


def test_command_does_not_import_the_cdk() -> None:
    """Its start takes a second less."""
    script = (
        "import sys, nodeway.cli.main; sys.exit('aws_cdk' in sys.modules or 'jsii' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False)

    assert done.returncode == 0
