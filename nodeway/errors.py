"""Errors of a synth that a person can act on."""


class ConfigError(Exception):
    """The configuration, a context variable or the cluster itself does not allow a deployment; says what to do."""
