"""The app of this repository: an environment of cdk.json as stacks, each with one part of the library."""
