#!/usr/bin/env python3
"""The CDK app: configuration in, stacks out."""

import sys

import aws_cdk as cdk

from nodeway.constructs.nag import review
from nodeway.errors import ConfigError
from stacks.environment import build

app = cdk.App()
review(app)
try:
    sys.stderr.write(build(app))
except ConfigError as error:
    sys.exit(f"nodeway: {error}")
app.synth()
