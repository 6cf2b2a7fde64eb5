"""Whom the function in the client's VPC logs in as. A password lives in memory only, and in no error's text."""

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
"""A client's VPC may have no way to Secrets Manager at all: the walks must not wait for it."""


class NoLogin(Exception):
    """The login cannot be had; the text says why, and what is in the way."""


class Secrets(Protocol):
    """What is asked of Secrets Manager's client."""

    def get_secret_value(self, *, SecretId: str) -> dict[str, object]:  # noqa: N803 (boto3's name)
        """The secret of an ARN."""
        ...


def load_login(settings: ProberSettings, session: boto3.Session | None = None) -> Login | None:
    """The login that the deployment chose, None when it chose none; raises NoLogin."""
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
    """The login in a secret; raises NoLogin."""
    try:
        # a binary secret has none
        told = secrets.get_secret_value(SecretId=arn).get("SecretString")
    except ClientError as error:
        code = error.response["Error"]["Code"]
        raise NoLogin(f"Secrets Manager refuses the probe's secret: {code}") from error
    except BotoCoreError as error:
        raise NoLogin(
            f"Secrets Manager is not reached from here ({type(error).__name__}): the VPC needs its interface endpoint"
        ) from error
    try:
        found = json.loads(str(told))
        return Login(_text(found.get("username") or "default"), _text(found["password"]))
    except (ValueError, KeyError, AttributeError, TypeError):
        # whatever was wrong with it, no part of it is told
        raise NoLogin("the probe's secret is no JSON object with username and password") from None


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def login_from_iam(credentials: "Credentials", settings: ProberSettings, region: str) -> Login:
    """A token as ElastiCache takes it for a password; it is made here, without a call.

    https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth-iam.html
    """
    request = AWSRequest(
        "GET",
        f"http://{settings.replication_group_id}/",
        params={"Action": "connect", "User": settings.iam_username},
    )
    SigV4QueryAuth(credentials, "elasticache", region, expires=TOKEN_SECONDS).add_auth(request)
    return Login(settings.iam_username, str(request.url).removeprefix("http://"))
