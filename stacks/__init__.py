"""Our own app: an environment of cdk.json as thin stacks, one part of the library each."""
