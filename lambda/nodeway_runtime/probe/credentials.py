"""The credentials with which the prober logs in to nodes. No error text contains a part of them."""

import json
from typing import TYPE_CHECKING, Protocol

import boto3
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from nodeway_runtime.probe.settings import ProberSettings
from nodeway_runtime.probe.walker import Login

if TYPE_CHECKING:
    from botocore.credentials import Credentials

TOKEN_SECONDS = 900
NO_RETRIES = Config(retries={"total_max_attempts": 1}, connect_timeout=3, read_timeout=3)
"""A client's VPC may have no route to Secrets Manager, so a call fails early."""


class NoLogin(Exception):
    """The login could not be loaded; the text says why."""


class Secrets(Protocol):
    """The part of Secrets Manager's client that is used."""

    def get_secret_value(self, *, SecretId: str) -> dict[str, object]:  # noqa: N803 (boto3's name)
        """The secret with an ARN."""
        ...


def load_login(settings: ProberSettings, session: boto3.Session | None = None) -> Login | None:
    """The login of the deployment's settings, None when they have none; raises NoLogin."""
    session = session or boto3.Session()
    if settings.login_secret_arn:
        return login_from_secret(
            session.client("secretsmanager", config=NO_RETRIES), settings.login_secret_arn
        )
    if settings.iam_username:
        credentials = session.get_credentials()
        if credentials is None:
            raise NoLogin("the function has no credentials to sign an IAM token with")
        return login_from_iam(credentials, settings, str(session.region_name))
    return None


def login_from_secret(secrets: Secrets, arn: str) -> Login:
    """The login in a secret, a JSON object with `username` and `password`; raises NoLogin."""
    try:
        # A binary secret has no SecretString.
        text = secrets.get_secret_value(SecretId=arn).get("SecretString")
    except ClientError as error:
        code = error.response["Error"]["Code"]
        raise NoLogin(f"Secrets Manager refuses the probe's secret: {code}") from error
    except BotoCoreError as error:
        raise NoLogin(
            f"Secrets Manager is not reached from here ({type(error).__name__}): the VPC needs its interface endpoint"
        ) from error
    try:
        found = json.loads(str(text))
        return Login(_text(found.get("username") or "default"), _text(found["password"]))
    except (ValueError, KeyError, AttributeError, TypeError):
        # The cause is left out, as its text may contain a part of the secret.
        raise NoLogin("the probe's secret is no JSON object with username and password") from None


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def login_from_iam(credentials: "Credentials", settings: ProberSettings, region: str) -> Login:
    """An IAM authentication token as password, valid for TOKEN_SECONDS. It is signed locally, without a call.

    https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth-iam.html
    """
    request = AWSRequest(
        "GET",
        f"http://{settings.replication_group_id}/",
        params={"Action": "connect", "User": settings.iam_username},
    )
    SigV4QueryAuth(credentials, "elasticache", region, expires=TOKEN_SECONDS).add_auth(request)
    return Login(settings.iam_username, str(request.url).removeprefix("http://"))
