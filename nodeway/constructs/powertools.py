"""A layer with Powertools for AWS Lambda, copied from the environment of the synth, without Docker and network.

It is pure Python, so one layer serves every runtime and architecture.
"""

import importlib.metadata
import shutil
from pathlib import Path

import aws_cdk as cdk
import jsii
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

DISTRIBUTIONS = ("aws-lambda-powertools", "typing-extensions")
"""Distributions of the layer. The Lambda runtime has jmespath, Powertools' other requirement."""


@jsii.implements(cdk.ILocalBundling)
class CopyInstalled:
    """Copies installed distributions into the directory of a Python layer."""

    def try_bundle(self, output_dir: str, *_: object, **__: object) -> bool:
        """Fills the layer's directory. Returns True, so that the CDK does not use Docker."""
        for name in DISTRIBUTIONS:
            for file in importlib.metadata.files(name) or []:
                if file.suffix == ".pyc" or ".." in file.parts or ".dist-info" in file.parts[0]:
                    continue
                target = Path(output_dir) / "python" / file
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(str(file.locate()), target)
        return True


def powertools_layer(scope: Construct, construct_id: str) -> lambda_.LayerVersion:
    """Creates the layer. Its asset hash is derived from the versions only, so that templates are reproducible."""
    versions = ",".join(f"{name}=={importlib.metadata.version(name)}" for name in DISTRIBUTIONS)
    return lambda_.LayerVersion(
        scope,
        construct_id,
        description=versions,
        compatible_runtimes=[lambda_.Runtime.PYTHON_3_14],
        code=lambda_.Code.from_asset(
            str(Path(__file__).parent),
            asset_hash=versions,
            asset_hash_type=cdk.AssetHashType.CUSTOM,
            bundling=cdk.BundlingOptions(
                image=cdk.DockerImage.from_registry("never-used"), local=CopyInstalled()
            ),
        ),
    )
