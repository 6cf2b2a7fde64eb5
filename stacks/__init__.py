"""The CDK side: what is deployed, from a checked configuration. Only this package and app.py import aws_cdk."""
