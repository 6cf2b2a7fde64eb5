"""Route 53's refusals of change batches that ministack accepts.

The file route53_fault.json ({"Code", "Message", "Status"}) in the run directory makes every change fail with it, for
as long as it exists (lab.fake_aws.failures).

Limits: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html
Not modelled: five requests a second for an account.
"""

import ipaddress
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from ministack.services import route53

from lab import layout
from lab.fake_aws import failures as route53_fault

RECORDS_PER_BATCH = 1000
CHARACTERS_PER_BATCH = 32_000
VALUES_PER_SET = 400
ATTRIBUTES = frozenset({"Name", "Type", "TTL", "ResourceRecords"})
TYPES = frozenset({"A", "AAAA", "CNAME", "NS", "SOA", "TXT"})

ADDRESSES = {"A": 4, "AAAA": 6}
SOA_NUMBERS = 5  # serial, refresh, retry, expire, minimum

Change = tuple[str, dict[str, Any]]
Response = tuple[int, dict[str, str], bytes]

_quoted = re.compile(r'"(?:[^"\\]|\\.){0,255}"(?: +"(?:[^"\\]|\\.){0,255}")*')


def install() -> None:
    """Patch ministack.services.route53."""
    apply = route53._change_resource_record_sets
    route53._normalise_name = _normalise

    def change(zone_id: str, body: bytes) -> Response:
        if fault := _fault():
            refused: Response = route53._error_response(
                fault["Code"], fault["Message"], int(fault.get("Status", 400))
            )
            return refused
        zone = route53._zones.get(zone_id)
        if zone is not None:
            changes = list(parse(body))
            problems = [*_batch_problems(changes), *_record_problems(changes, zone["name"])]
            problems += _neighbour_problems(changes, route53._records[zone_id], zone["name"])
            if problems:
                message = f"[{', '.join(dict.fromkeys(problems))}]"
                answer: Response = route53._error_response("InvalidChangeBatch", message)
                return answer
        done: Response = apply(zone_id, body)
        return done

    route53._change_resource_record_sets = change


def _fault() -> dict[str, Any]:
    try:
        told: dict[str, Any] = json.loads(route53_fault.path(layout.run_dir()).read_text())
    except FileNotFoundError:
        return {}
    return told


def parse(body: bytes) -> Iterator[Change]:
    """The changes of a ChangeResourceRecordSets request: action and record set."""
    root = route53._parse_body(body)
    batch = route53._find(root, "ChangeBatch") if root is not None else None
    changes = route53._find(batch, "Changes") if batch is not None else None
    for change in route53._findall(changes, "Change") if changes is not None else ():
        record = route53._find(change, "ResourceRecordSet")
        if record is not None:
            yield route53._text(change, "Action"), route53._parse_record_set(record)


def _normalise(name: str) -> str:
    """A name as Route 53 stores it: in lower case with a final dot."""
    return name.lower().removesuffix(".") + "." if name else name


def _batch_problems(changes: list[Change]) -> Iterator[str]:
    weights = [
        (2 if action == "UPSERT" else 1, r.get("ResourceRecords") or []) for action, r in changes
    ]
    if not changes:
        yield "The request contains no changes"
    if (
        len(changes) > RECORDS_PER_BATCH
        or sum(w * len(values) for w, values in weights) > RECORDS_PER_BATCH
    ):
        yield f"Number of records limit of {RECORDS_PER_BATCH} exceeded."
    if sum(w * sum(map(len, values)) for w, values in weights) > CHARACTERS_PER_BATCH:
        yield f"Number of characters limit of {CHARACTERS_PER_BATCH} exceeded."
    actions = defaultdict(list)
    for action, record in changes:
        actions[record["Name"], record["Type"]].append(action)
    for (name, kind), asked in actions.items():
        if len(asked) > 1 and asked != ["DELETE", "CREATE"]:
            yield f"The request contains an invalid set of changes for a resource record set '{kind} {name}'"


def _record_problems(changes: list[Change], zone: str) -> Iterator[str]:
    for action, record in changes:
        name, kind = record["Name"], record["Type"]
        if unknown := record.keys() - ATTRIBUTES:
            yield f"the lab does not model {', '.join(sorted(unknown))} of '{kind} {name}'"
        if kind not in TYPES:
            yield f"the lab does not model records of type {kind} ('{kind} {name}')"
        if name != zone and not name.endswith(f".{zone}"):
            yield f"RRSet with DNS name {name} is not permitted in zone {zone}"
        if action != "DELETE":
            yield from _content_problems(record)
        elif name == zone and kind in ("SOA", "NS"):
            yield f"A HostedZone must contain exactly one {kind} record."


def _content_problems(record: dict[str, Any]) -> Iterator[str]:
    kind, values = record["Type"], record.get("ResourceRecords") or []
    what = f"'{kind} {record['Name']}'"
    if not str(record.get("TTL", "")).isdigit():
        yield f"{what} has no TTL"
    if not 1 <= len(values) <= VALUES_PER_SET:
        yield f"{what} has {len(values)} values; allowed: 1 to {VALUES_PER_SET}"
    for value, times in Counter(values).items():
        if times > 1:
            yield f"Duplicate Resource Record: '{value}'"
        if problem := _value_problem(kind, value):
            yield f"Invalid Resource Record: 'FATAL problem: {problem} encountered with '{value}''"


def _value_problem(kind: str, value: str) -> str | None:
    if kind in ADDRESSES:
        family = ADDRESSES[kind]
        return (
            None
            if _is_address(value, family)
            else (f"ARRDATAIllegalIPv{family}Address (Value is not a valid IPv{family} address)")
        )
    if kind == "TXT" and not _quoted.fullmatch(value):
        return "InvalidCharacterString (Value should be enclosed in quotation marks)"
    numbers = value.split()[2:]
    if kind == "SOA" and not (len(numbers) == SOA_NUMBERS and all(n.isdigit() for n in numbers)):
        return "SOARDATAInvalid (Value is not a valid SOA record)"
    return None


def _is_address(value: str, family: int) -> bool:
    try:
        return ipaddress.ip_address(value).version == family
    except ValueError:
        return False


def _neighbour_problems(
    changes: list[Change], records: list[dict[str, Any]], zone: str
) -> Iterator[str]:
    """A CNAME must be alone at its name, and not at the zone's own."""
    kinds: dict[str, set[str]] = defaultdict(set)
    for record in records:
        kinds[record["Name"]].add(record["Type"])
    for action, record in changes:
        (kinds[record["Name"]].discard if action == "DELETE" else kinds[record["Name"]].add)(
            record["Type"]
        )
    for name in {record["Name"] for _, record in changes}:
        if "CNAME" in kinds[name] and (len(kinds[name]) > 1 or name == zone):
            yield (
                f"RRSet of type CNAME with DNS name {name} is not permitted as it conflicts with other records "
                f"with the same DNS name in zone {zone}"
            )
