"""Reads what is deployed, with the caller's AWS credentials.

The environment is a block of cdk.json. The settings of each of its clusters are the variables of its resync function.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import boto3
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from nodeway.config.loader import load
from nodeway.config.model import EnvironmentConfig
from nodeway.errors import CommandError, format_error
from nodeway.suggestions import suggest_nearest
from nodeway_runtime.aws.clients import RETRIES, aws_ports
from nodeway_runtime.aws.elasticache import ElastiCache
from nodeway_runtime.model.errors import BadSettings
from nodeway_runtime.model.ports import ElastiCachePort, Ports
from nodeway_runtime.model.settings import Settings

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Deployment:
    """The deployed resync of one cluster."""

    settings: Settings
    ports: Ports
    nodes: ElastiCachePort
    """Reads the cluster's nodes, also in a mode in which the resync does not read them."""


class Account(Protocol):
    """The account that an environment is deployed in."""

    def deployment(self, cluster: str) -> Deployment:
        """Reads the deployment of the cluster with this label; raises CommandError if that is impossible."""
        ...


class Reach(Protocol):
    """Opens the account of an environment: `AwsAccount`, or a fake one of a test."""

    def __call__(self, environment: EnvironmentConfig) -> Account:
        """Returns the account; raises CommandError without credentials for it."""
        ...


def load_environment(name: str, directory: Path) -> EnvironmentConfig:
    """Loads the environment from the cdk.json of this directory, else from the repository's.

    Raises CommandError for an unknown name, and ConfigError with every problem of the block.
    """
    paths = (directory / "cdk.json", ROOT / "cdk.json")
    path = next((path for path in paths if path.exists()), None)
    if path is None:
        msg = f"no cdk.json in {directory}: run this in the CDK project that was deployed"
        raise CommandError(msg)
    try:
        environments = json.loads(path.read_text())["context"]["environments"]
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        msg = (
            f"{path} has no object context.environments ({error}); docs/configuration.md shows one"
        )
        raise CommandError(msg) from error
    choose(name, environments, what="environment")
    return load({"environments": environments, "env": name})


def choose(name: str, known: Iterable[str], *, what: str) -> str:
    """Returns the name if it is known; else raises CommandError with the closest known one."""
    names = sorted(known)
    if name not in names:
        msg = f"unknown {what}: got {name!r}{suggest_nearest(name, names)}; there are: {', '.join(names)}"
        raise CommandError(msg)
    return name


class AwsAccount:
    """The account of an environment, with boto3's credentials; raises CommandError if they are not for this account."""

    def __init__(
        self, environment: EnvironmentConfig, session: boto3.Session | None = None
    ) -> None:
        self._environment = environment
        try:
            self._session = session or boto3.Session(region_name=environment.region)
            account = self.client("sts").get_caller_identity()["Account"]
        except NoCredentialsError as error:
            msg = (
                f"no AWS credentials for account {environment.account}:"
                " sign in (aws sso login), and set AWS_PROFILE"
            )
            raise CommandError(msg) from error
        except (ClientError, BotoCoreError) as error:
            raise CommandError(
                f"AWS does not take these credentials: {format_error(error)}"
            ) from error
        if account != environment.account:
            msg = (
                f"these credentials are for account {account}, but environment {environment.name}"
                f" is in {environment.account}: set AWS_PROFILE"
            )
            raise CommandError(msg)

    def deployment(self, cluster: str) -> Deployment:
        """Reads the settings from the deployed function, and returns them with ports for them."""
        stack = f"nodeway-{self._environment.name}-{cluster}-resync"
        try:
            function = self.outputs(stack)["ResyncFunction"]
            configuration = self.client("lambda").get_function_configuration(FunctionName=function)
            variables = configuration.get("Environment", {}).get("Variables", {})
            settings = Settings.from_environment(variables)
        except KeyError as error:
            msg = f"stack {stack} has no output {error.args[0]}: deploy it again"
            raise CommandError(msg) from error
        except ClientError as error:
            if "does not exist" in str(error):
                msg = (
                    f"nothing is deployed: account {self._environment.account}, {self._environment.region}"
                    f" has no stack {stack}; deploy it with cdk deploy -c env={self._environment.name} --all"
                )
                raise CommandError(msg) from error
            raise unreadable(error) from error
        except (BotoCoreError, BadSettings) as error:
            raise unreadable(error) from error
        nodes = ElastiCache(self._session.client("elasticache", config=RETRIES))
        return Deployment(settings, aws_ports(settings, self._session), nodes)

    def outputs(self, stack: str) -> dict[str, str]:
        """Returns a stack's outputs; botocore's errors pass through."""
        answer = self.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
        return {output["OutputKey"]: output["OutputValue"] for output in answer.get("Outputs", [])}

    def client(self, service: str) -> Any:  # noqa: ANN401 (services without type stubs)
        """Returns a client of a service in the environment's Region."""
        return self._session.client(service)


def unreadable(error: Exception) -> CommandError:
    """Returns the error of a command that cannot read the deployment."""
    return CommandError(f"the deployment cannot be read: {format_error(error)}")
