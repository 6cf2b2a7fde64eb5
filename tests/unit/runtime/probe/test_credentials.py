"""Whom the probe logs in as, and that nobody ever sees with what; and the settings of its functions."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, cast

import boto3
import pytest
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError
from botocore.hooks import HierarchicalEmitter
from botocore.model import ServiceId
from botocore.signers import RequestSigner

from nodeway_runtime.model.errors import BadSettings
from nodeway_runtime.probe.credentials import (
    NoLogin,
    load_login,
    login_from_iam,
    login_from_secret,
)
from nodeway_runtime.probe.settings import CoordinatorSettings, ProberSettings
from tests.support.fakes import ZONE
from tests.support.probing import SECRET

ARN = "arn:aws:secretsmanager:us-east-1:111122223333:secret:probe-a1B2c3"
SETTINGS = ProberSettings(ZONE, 6379, "vpc-1", "demo")
KEYS = Credentials("AKIDEXAMPLE", "secret-key-of-the-role", "session-token-of-the-role")


@dataclass(frozen=True, slots=True)
class Secrets:
    """Answers with this, or fails with it."""

    answer: dict[str, object] | Exception

    def get_secret_value(self, *, SecretId: str) -> dict[str, object]:  # noqa: N803 (boto3's name)
        """The secret of the ARN."""
        assert SecretId == ARN
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


NO_USER: list[dict[str, Any]] = [{}, {"username": ""}, {"username": None}]


def secret(text: str) -> Secrets:
    return Secrets({"ARN": ARN, "SecretString": text})


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": SECRET}}, "GetSecretValue")


@pytest.mark.parametrize(
    ("more", "user"),
    [({"username": "probe"}, "probe"), *((one, "default") for one in NO_USER)],
)
def test_login_is_the_secret_s_password_and_user_or_the_default_user(
    more: dict[str, Any], user: str
) -> None:
    login = login_from_secret(secret(json.dumps({"password": SECRET, **more})), ARN)

    assert (login.username, login.password) == (user, SECRET)


NO_OBJECT = "the probe's secret is no JSON object with username and password"


REFUSED = "Secrets Manager refuses the probe's secret: {}"
FAR = "Secrets Manager is not reached from here ({}): the VPC needs its interface endpoint"


@pytest.mark.parametrize(
    ("secrets", "told"),
    [
        (Secrets(refusal("AccessDeniedException")), REFUSED.format("AccessDeniedException")),
        (Secrets(refusal("ResourceNotFound")), REFUSED.format("ResourceNotFound")),
        (Secrets(ConnectTimeoutError(endpoint_url=f"https://x/{SECRET}")), FAR.format("ConnectTimeoutError")),
        (Secrets(BotoCoreError()), FAR.format("BotoCoreError")),
        (secret(SECRET), NO_OBJECT),
        (secret(json.dumps(SECRET)), NO_OBJECT),
        (secret(json.dumps([SECRET])), NO_OBJECT),
        (secret(json.dumps({"user": "probe", "pass": SECRET})), NO_OBJECT),
        (secret(f'{{"password": "{SECRET}'), NO_OBJECT),
        (secret('{"password": null}'), NO_OBJECT),
        (secret('{"username": 7, "password": "x"}'), NO_OBJECT),
        (secret("7"), NO_OBJECT),
        (secret(""), NO_OBJECT),
        (Secrets({"ARN": ARN, "SecretBinary": SECRET.encode()}), NO_OBJECT),
    ],
)  # fmt: skip
def test_no_login_says_why_and_nothing_of_the_secret(secrets: Secrets, told: str) -> None:
    """Nor does what is chained to it, which a log of an unexpected error would show."""
    with pytest.raises(NoLogin) as caught:
        login_from_secret(secrets, ARN)

    assert str(caught.value) == told
    if told == NO_OBJECT:
        assert caught.value.__suppress_context__
        assert caught.value.__cause__ is None


def test_token_is_signed_as_the_sdk_signs_it() -> None:
    """With the way of the AWS documentation, in the same second: no scheme, the group as host, 900 seconds."""
    region, user = "eu-west-1", replace(SETTINGS, iam_username="probe-user")
    service, emitter = ServiceId("elasticache"), HierarchicalEmitter()
    signer = RequestSigner(service, region, "elasticache", "v4", KEYS, emitter)
    url = "http://demo/?Action=connect&User=probe-user"
    request = {"method": "GET", "url": url, "body": {}, "headers": {}, "context": {}}

    def both() -> tuple[str, str]:
        ours = login_from_iam(KEYS, user, region).password
        theirs = signer.generate_presigned_url(request, "connect", 900, region)
        return ours, str(theirs).removeprefix("http://")

    # a second may end between the two, but not between each of three pairs
    assert any(ours == theirs for ours, theirs in (both() for _ in range(3)))


@dataclass(frozen=True, slots=True)
class Session:
    """What is asked of boto3's."""

    secrets: Secrets
    credentials: Credentials | None = KEYS
    region_name: str = "us-east-1"

    def client(self, service: str, config: Any) -> Secrets:  # noqa: ANN401 (botocore's)
        """Secrets Manager's, which a VPC may have no way to: nobody waits long for it."""
        assert service == "secretsmanager"
        assert (config.connect_timeout, config.read_timeout) == (3, 3)
        assert config.retries["total_max_attempts"] == 1
        return self.secrets

    def get_credentials(self) -> Credentials | None:
        """The role's own."""
        return self.credentials


def session(**more: Any) -> boto3.Session:  # noqa: ANN401 (its fields)
    """One whose secret is in order."""
    told = secret(json.dumps({"username": "probe", "password": SECRET}))
    return cast("boto3.Session", Session(told, **more))


def test_login_is_what_the_deployment_chose() -> None:
    by_secret = load_login(replace(SETTINGS, login_secret_arn=ARN), session())
    by_iam = load_login(replace(SETTINGS, iam_username="probe-user"), session())

    assert by_secret is not None
    assert by_iam is not None
    assert (by_secret.password, by_iam.username) == (SECRET, "probe-user")
    assert "secret-key" not in by_iam.password
    assert load_login(SETTINGS, session()) is None


def test_token_needs_the_role_s_credentials() -> None:
    with pytest.raises(NoLogin, match="no credentials to sign an IAM token with"):
        load_login(replace(SETTINGS, iam_username="probe-user"), session(credentials=None))


def test_neither_password_nor_token_is_in_a_repr() -> None:
    token = login_from_iam(KEYS, replace(SETTINGS, iam_username="probe-user"), "us-east-1")

    assert "X-Amz" not in repr(token)
    assert SECRET not in repr(load_login(replace(SETTINGS, login_secret_arn=ARN), session()))


WALK = {"ZONE_NAME": f"{ZONE}.", "PORT": "6379", "CLIENT": "vpc-1", "REPLICATION_GROUP_ID": "demo"}
WATCH = {"GROUP": "demo", "WALKERS": "one,two", "PROXY_LOGS": "logs"}


def test_settings_are_what_the_deployment_told() -> None:
    assert ProberSettings.from_environment(WALK) == SETTINGS
    assert ProberSettings.from_environment(WALK | {"IAM_USERNAME": "u"}).iam_username == "u"
    assert ProberSettings.from_environment(WALK | {"LOGIN_SECRET_ARN": ARN}).login_secret_arn == ARN
    assert CoordinatorSettings.from_environment(WATCH) == CoordinatorSettings(
        "demo", ("one", "two"), "logs"
    )
    assert not CoordinatorSettings.from_environment(WATCH | {"NODE_METRICS": "false"}).node_metrics


ALL_WRONG = {"PORT": "0", "ZONE_NAME": "a b", "IAM_USERNAME": "u", "LOGIN_SECRET_ARN": ARN}
TOLD = [
    "PORT: got '0'; allowed: 1 to 65535",
    "LOGIN_SECRET_ARN and IAM_USERNAME: allowed: one of them",
    "ZONE_NAME: not a host name: got 'a b'",
]


@pytest.mark.parametrize(
    ("read", "environment", "problems"),
    [
        (ProberSettings.from_environment, {}, [f"{name} is missing" for name in WALK]),
        (ProberSettings.from_environment, WALK | ALL_WRONG, TOLD),
        (ProberSettings.from_environment, WALK | {"PORT": "65536"}, ["PORT: got '65536'"]),
        (ProberSettings.from_environment, WALK | {"PORT": "redis"}, ["PORT: got 'redis'"]),
        (CoordinatorSettings.from_environment, {}, [f"{name} is missing" for name in WATCH]),
    ],
)
def test_every_problem_of_an_environment_is_told_at_once(
    read: Callable[[dict[str, str]], object], environment: dict[str, str], problems: list[str]
) -> None:
    with pytest.raises(BadSettings) as caught:
        read(environment)

    text = str(caught.value)
    assert [one for one in problems if one not in text] == []
    assert text.count(";") >= len(problems)
    assert text.endswith("deploy the stack again")
