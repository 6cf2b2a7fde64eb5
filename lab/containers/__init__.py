"""The container runtime of the lab: real processes in namespaces, in place of Docker."""
