"""What is deployed, found from a laptop: the environment in cdk.json, and each cluster's settings in its own function.

It reads with the caller's own AWS credentials. It must never change anything, nor show a credential.
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
from nodeway.errors import CommandError, on_one_line
from nodeway.suggestions import suggest_nearest
from nodeway_runtime.aws.clients import RETRIES, aws_ports
from nodeway_runtime.aws.elasticache import ElastiCache
from nodeway_runtime.model.errors import BadSettings
from nodeway_runtime.model.ports import ElastiCachePort, Ports
from nodeway_runtime.model.settings import Settings

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Deployment:
    """One cluster's resync as it is deployed."""

    settings: Settings
    ports: Ports
    nodes: ElastiCachePort
    """Says which nodes there are, whether or not the resync wants to know."""


class Account(Protocol):
    """Where an environment is deployed."""

    def deployment(self, cluster: str) -> Deployment:
        """What is deployed under a cluster's label; raises CommandError when nothing is, or it cannot be read."""
        ...


class Reach(Protocol):
    """How a command gets at an environment's account; a test gives its own."""

    def __call__(self, environment: EnvironmentConfig) -> Account:
        """The account; raises CommandError without credentials for it."""
        ...


def load_environment(name: str, directory: Path) -> EnvironmentConfig:
    """The environment's block of the cdk.json in this directory, else in the repository.

    Raises CommandError for an unknown name, and ConfigError with every problem of the block.
    """
    places = [place / "cdk.json" for place in (directory, ROOT)]
    path = next((place for place in places if place.exists()), None)
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
    """The name if it is known; raises CommandError with the nearest known one if it is not."""
    names = sorted(known)
    if name not in names:
        msg = f"unknown {what}: got {name!r}{suggest_nearest(name, names)}; there are: {', '.join(names)}"
        raise CommandError(msg)
    return name


class AwsAccount:
    """The account of an environment, with the credentials that boto3 finds; raises CommandError without any for it."""

    def __init__(
        self, environment: EnvironmentConfig, session: boto3.Session | None = None
    ) -> None:
        self._environment = environment
        try:
            self._session = session or boto3.Session(region_name=environment.region)
            found = self.client("sts").get_caller_identity()["Account"]
        except NoCredentialsError as error:
            msg = (
                f"no AWS credentials for account {environment.account}:"
                " sign in (aws sso login), and set AWS_PROFILE"
            )
            raise CommandError(msg) from error
        except (ClientError, BotoCoreError) as error:
            raise CommandError(
                f"AWS does not take these credentials: {on_one_line(error)}"
            ) from error
        if found != environment.account:
            msg = (
                f"these credentials are for account {found}, but environment {environment.name}"
                f" is in {environment.account}: set AWS_PROFILE"
            )
            raise CommandError(msg)

    def deployment(self, cluster: str) -> Deployment:
        """The settings as the deployed function has them, and the ports that go with them."""
        stack = f"nodeway-{self._environment.name}-{cluster}-resync"
        try:
            function = self.outputs(stack)["ResyncFunction"]
            told = self.client("lambda").get_function_configuration(FunctionName=function)
            settings = Settings.from_environment(told.get("Environment", {}).get("Variables", {}))
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
            raise CommandError(f"what is deployed cannot be read: {on_one_line(error)}") from error
        except (BotoCoreError, BadSettings) as error:
            raise CommandError(f"what is deployed cannot be read: {on_one_line(error)}") from error
        nodes = ElastiCache(self._session.client("elasticache", config=RETRIES))
        return Deployment(settings, aws_ports(settings, self._session), nodes)

    def outputs(self, stack: str) -> dict[str, str]:
        """A stack's outputs; botocore's errors pass through."""
        found = self.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
        return {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", [])}

    def client(self, service: str) -> Any:  # noqa: ANN401 (of services that ship no types here)
        """A client of a service in the environment's Region."""
        return self._session.client(service)
