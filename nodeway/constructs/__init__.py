"""The CDK constructs of the library, by the part of a deployment that they create."""
