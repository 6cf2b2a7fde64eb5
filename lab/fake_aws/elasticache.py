"""The ElastiCache API of the lab's cluster: three reads, from the file that lab.cluster.state writes.

The file's optional member `Fault` ({"Code", "Message", "Status"}) makes every call fail with it, as an API that is
throttled or down. Without the file every call fails.
"""

import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any
from urllib.parse import parse_qs
from xml.etree.ElementTree import Element, SubElement, tostring

import botocore.session
from ministack.core.responses import new_uuid
from ministack.services import elasticache

from lab import layout

NAMESPACE = "http://elasticache.amazonaws.com/doc/2015-02-02/"
PAGE_SIZES = range(20, 101)

Answer = dict[str, Any]
Parameters = Mapping[str, str]
Response = tuple[int, dict[str, str], bytes]


class Refused(Exception):
    """An error answer of the API."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.status = code, status


def install() -> None:
    """Replace ministack's ElastiCache."""
    elasticache.handle_request = handle_request


async def handle_request(
    method: str, path: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, list[str]]
) -> Response:
    """Answer one request of the query protocol."""
    del method, path, headers
    form = {**query, **parse_qs(body.decode(), keep_blank_values=True)}
    parameters = {name: values[0] for name, values in form.items()}
    action = parameters.pop("Action", "")
    parameters.pop("Version", None)
    try:
        return _respond(action, ACTIONS[action](_validate(action, parameters)))
    except KeyError:
        return _error(
            Refused(
                "InvalidAction",
                f"ElastiCache {action} is not part of the lab; {', '.join(ACTIONS)} are",
            )
        )
    except Refused as refusal:
        return _error(refusal)


def _describe_groups(parameters: Parameters) -> Answer:
    groups = _truth()["ReplicationGroups"]
    wanted = parameters.get("ReplicationGroupId")
    if wanted is not None:
        groups = [g for g in groups if g["ReplicationGroupId"] == wanted.lower()]
        if not groups:
            raise Refused(
                "ReplicationGroupNotFoundFault", f"ReplicationGroup {wanted} not found.", 404
            )
    return _page("ReplicationGroups", groups, parameters)


def _describe_clusters(parameters: Parameters) -> Answer:
    clusters = _truth()["CacheClusters"]
    wanted = parameters.get("CacheClusterId")
    if wanted is not None:
        clusters = [c for c in clusters if c["CacheClusterId"] == wanted.lower()]
        if not clusters:
            raise Refused("CacheClusterNotFound", f"CacheCluster not found: {wanted}", 404)
    if parameters.get("ShowCacheNodeInfo", "false") != "true":
        clusters = [{k: v for k, v in c.items() if k != "CacheNodes"} for c in clusters]
    return _page("CacheClusters", clusters, parameters)


def _describe_parameters(parameters: Parameters) -> Answer:
    group = parameters.get("CacheParameterGroupName")
    if group is None:
        raise Refused(
            "InvalidParameterValue", "The parameter CacheParameterGroupName must be provided."
        )
    found = _truth()["Parameters"].get(group)
    if found is None:
        raise Refused("CacheParameterGroupNotFound", f"CacheParameterGroup {group} not found.", 404)
    return _page("Parameters", found, parameters)


ACTIONS: Mapping[str, Callable[[Parameters], Answer]] = {
    "DescribeReplicationGroups": _describe_groups,
    "DescribeCacheClusters": _describe_clusters,
    "DescribeCacheParameters": _describe_parameters,
}
UNSUPPORTED = frozenset({"ShowCacheClustersNotInReplicationGroups", "Source"})


def _truth() -> Answer:
    try:
        truth: Answer = json.loads((layout.run_dir() / "elasticache.json").read_text())
    except FileNotFoundError:
        raise Refused("InternalFailure", "the lab's cluster is not up yet", 500) from None
    if fault := truth.get("Fault"):
        raise Refused(fault["Code"], fault["Message"], int(fault.get("Status", 400)))
    return truth


def _validate(action: str, parameters: Parameters) -> Parameters:
    if action in ACTIONS:
        known = set(_model().operation_model(action).input_shape.members) - UNSUPPORTED
        if unknown := sorted(parameters.keys() - known):
            raise Refused(
                "InvalidParameterCombination",
                f"{action}: the lab does not know {', '.join(unknown)}",
            )
    return parameters


def _page(key: str, everything: list[Any], parameters: Parameters) -> Answer:
    size, marker = parameters.get("MaxRecords", "100"), parameters.get("Marker", "0")
    if not size.isdigit() or int(size) not in PAGE_SIZES:
        raise Refused(
            "InvalidParameterValue", f"The parameter MaxRecords must be between 20 and 100: {size}"
        )
    if not marker.isdigit():
        raise Refused("InvalidParameterValue", f"The parameter Marker is invalid: {marker}")
    end = int(marker) + int(size)
    answer: Answer = {key: everything[int(marker) : end]}
    return answer | ({"Marker": str(end)} if end < len(everything) else {})


@cache
def _model() -> Any:
    return botocore.session.get_session().get_service_model("elasticache")


def _respond(action: str, answer: Answer) -> Response:
    root = Element(f"{action}Response", xmlns=NAMESPACE)
    _write(
        SubElement(root, f"{action}Result"), _model().operation_model(action).output_shape, answer
    )
    SubElement(SubElement(root, "ResponseMetadata"), "RequestId").text = new_uuid()
    return 200, {"Content-Type": "text/xml"}, tostring(root)


def _write(element: Element, shape: Any, value: Any) -> None:
    """Write a value in the wire form of its botocore shape; KeyError for a member that the shape lacks."""
    match shape.type_name:
        case "structure":
            for name, member in value.items():
                _write(SubElement(element, name), shape.members[name], member)
        case "list":
            for item in value:
                _write(
                    SubElement(element, shape.member.serialization.get("name", "member")),
                    shape.member,
                    item,
                )
        case "boolean":
            element.text = str(value).lower()
        case _:
            element.text = str(value)


def _error(refusal: Refused) -> Response:
    root = Element("ErrorResponse", xmlns=NAMESPACE)
    error = SubElement(root, "Error")
    for name, text in (
        ("Type", "Receiver" if refusal.status >= 500 else "Sender"),
        ("Code", refusal.code),
        ("Message", str(refusal)),
    ):
        SubElement(error, name).text = text
    SubElement(root, "RequestId").text = new_uuid()
    return refusal.status, {"Content-Type": "text/xml"}, tostring(root)
