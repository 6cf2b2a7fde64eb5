"""Nodeway: reach every ElastiCache node from a network that cannot.

The names below are the library for CDK apps. They are loaded when they are first used, as `aws_cdk` takes seconds to
load and the command `nodeway` seldom needs it.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nodeway.construct import Nodeway
    from nodeway.constructs.group import topology_of_group
    from nodeway.constructs.network.network import ProxyNetwork
    from nodeway.constructs.probe.login import ProbeLogin
    from nodeway.constructs.proxies.envoy import EnvoyLogins
    from nodeway.constructs.proxies.modes import EnvoyMode, PerNode, Shared
    from nodeway.constructs.proxies.settings import ClientNetwork, ProxySettings
    from nodeway.constructs.records.settings import RecordSettings
    from nodeway.lookup.topology import KnownNode, KnownTopology

MODULES = {
    "Nodeway": "nodeway.construct",
    "topology_of_group": "nodeway.constructs.group",
    "ProxyNetwork": "nodeway.constructs.network.network",
    "ProbeLogin": "nodeway.constructs.probe.login",
    "EnvoyLogins": "nodeway.constructs.proxies.envoy",
    "EnvoyMode": "nodeway.constructs.proxies.modes",
    "PerNode": "nodeway.constructs.proxies.modes",
    "Shared": "nodeway.constructs.proxies.modes",
    "ClientNetwork": "nodeway.constructs.proxies.settings",
    "ProxySettings": "nodeway.constructs.proxies.settings",
    "RecordSettings": "nodeway.constructs.records.settings",
    "KnownNode": "nodeway.lookup.topology",
    "KnownTopology": "nodeway.lookup.topology",
}

__all__ = [
    "ClientNetwork",
    "EnvoyLogins",
    "EnvoyMode",
    "KnownNode",
    "KnownTopology",
    "Nodeway",
    "PerNode",
    "ProbeLogin",
    "ProxyNetwork",
    "ProxySettings",
    "RecordSettings",
    "Shared",
    "topology_of_group",
]


def __getattr__(name: str) -> object:
    """Loads a name of the library (PEP 562); raises AttributeError for any other."""
    if name not in MODULES:
        msg = f"module 'nodeway' has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(MODULES[name]), name)
