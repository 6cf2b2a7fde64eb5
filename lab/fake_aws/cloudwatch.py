"""Monitoring in the fake AWS: alarms on expressions, and events that go into log groups.

An alarm on an expression is refused where CloudWatch refuses it. Expressions are not computed, so it stays in
INSUFFICIENT_DATA.
"""

import fnmatch
import json
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import botocore.session
from botocore.validate import ParamValidator
from ministack.core.arn import ArnParseError, parse_arn
from ministack.core.responses import new_uuid
from ministack.services import cloudwatch_logs, eventbridge
from ministack.services.cloudformation import provisioners

Props = dict[str, Any]

BAND = "ANOMALY_DETECTION_BAND("
BAND_OPERATORS = frozenset(
    {
        "GreaterThanUpperThreshold",
        "LessThanLowerThreshold",
        "LessThanLowerOrGreaterThanUpperThreshold",
    }
)
OF_ONE_METRIC = ("MetricName", "Namespace", "Statistic", "Period")
GROUPS = "/aws/events/"
"""How the names of the groups begin that EventBridge writes to."""
EVENTS = "events.amazonaws.com"


def install() -> None:
    """Patch ministack's CloudFormation handler of alarms, and EventBridge's delivery."""
    provisioners._cw_metric_alarm_record = _alarm(provisioners._cw_metric_alarm_record)
    eventbridge._invoke_target = _delivery(eventbridge._invoke_target)


def _alarm(of_one_metric: Callable[[str, Props], Props]) -> Callable[[str, Props], Props]:
    def alarm(name: str, props: Props) -> Props:
        if not props.get("Metrics"):
            return of_one_metric(name, props)
        _refuse(name, props)
        plain = {key: value for key, value in props.items() if key != "Metrics"}
        made = of_one_metric(
            name, {"Threshold": 0, **plain} | dict.fromkeys(OF_ONE_METRIC[:2], "-")
        )
        for key in OF_ONE_METRIC:
            made.pop(key)
        if "Threshold" not in props:
            made.pop("Threshold")
            made["ThresholdMetricId"] = props["ThresholdMetricId"]
        return made | {"Metrics": props["Metrics"]}

    return alarm


def _refuse(name: str, props: Props) -> None:
    """Raise ValueError for what PutMetricAlarm refuses.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    """
    report = ParamValidator().validate({"AlarmName": name, **props}, _put_metric_alarm())
    if report.has_errors():
        raise ValueError(f"PutMetricAlarm: {report.generate_report()}")
    metrics: list[Props] = props["Metrics"]
    returned = [one["Id"] for one in metrics if one.get("ReturnData", True)]
    band = props.get("ThresholdMetricId")
    expressions = {one["Id"]: str(one.get("Expression", "")) for one in metrics}
    wrong = {
        "Metrics and one metric exclude each other": any(key in props for key in OF_ONE_METRIC),
        "two of Metrics have the same Id": len(expressions) < len(metrics),
        "either Threshold or ThresholdMetricId": (band is None) == ("Threshold" not in props),
        "an expression with SEARCH has no alarm": any("SEARCH(" in e for e in expressions.values()),
        "exactly one of Metrics returns data, and the band if there is one": len(returned)
        != (1 if band is None else 2),
    }
    if band is not None:
        wrong["ThresholdMetricId is none of the returned"] = band not in returned
        wrong[f"threshold metric expression must use {BAND}"] = not expressions.get(
            band, ""
        ).startswith(BAND)
    wrong["ComparisonOperator is not for this threshold"] = (
        props["ComparisonOperator"] in BAND_OPERATORS
    ) != (band is not None)
    if problems := [text for text, is_so in wrong.items() if is_so]:
        raise ValueError(f"alarm {name}: {'; '.join(problems)}")


@cache
def _put_metric_alarm() -> Any:
    model = botocore.session.get_session().get_service_model("cloudwatch")
    return model.operation_model("PutMetricAlarm").input_shape


def _delivery(invoke: Callable[..., None]) -> Callable[..., None]:
    def deliver(target: Props, event: Props, rule: Props, view: Any = None) -> None:
        try:
            arn = parse_arn(target.get("Arn", ""))
        except ArnParseError:
            arn = None
        if arn is None or arn.service != "logs":
            invoke(target, event, rule, view)
            return
        view = view or eventbridge._pattern_event_view(event)
        write(target["Arn"], json.dumps(view.event_with_detail()))

    return deliver


def write(arn: str, message: str) -> bool:
    """Write an event as one line, where a policy of CloudWatch Logs lets EventBridge write; returns whether it did."""
    group, stream = arn.split(":log-group:", 1)[-1].removesuffix(":*"), new_uuid()
    policies = [json.loads(one["policyDocument"]) for one in _policies()]
    resource = f"{arn.removesuffix(':*')}:log-stream:{stream}"
    if not group.startswith(GROUPS) or not any(_allows(one, resource) for one in policies):
        eventbridge.logger.warning("EventBridge: may not write to %s", arn)
        return False
    told = {"logGroupName": group, "logStreamName": stream}
    cloudwatch_logs._create_log_stream(told)
    line = {"timestamp": int(time.time() * 1000), "message": message}
    status: int = cloudwatch_logs._put_log_events({**told, "logEvents": [line]})[0]
    return status == 200


def _policies() -> list[Props]:
    return list(cloudwatch_logs._resource_policies.values())


def _allows(document: Mapping[str, Any], resource: str) -> bool:
    return any(
        one["Effect"] == "Allow"
        and EVENTS in _as_list(one["Principal"].get("Service", []))
        and {"logs:CreateLogStream", "logs:PutLogEvents"} <= set(_as_list(one["Action"]))
        and any(fnmatch.fnmatchcase(resource, pattern) for pattern in _as_list(one["Resource"]))
        for one in _as_list(document["Statement"])
    )


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
