"""CloudFormation of the fake AWS."""
