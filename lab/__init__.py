"""The lab: real Valkey, HAProxy, CDK, DNS and Lambda package in three networks on one machine."""
