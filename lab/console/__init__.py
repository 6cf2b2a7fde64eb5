"""The lab's commands, outside of the sandbox and inside of it."""
