"""The product in the lab: deployed by the real CDK command, looked at through the AWS API."""
