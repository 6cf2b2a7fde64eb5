"""What the probe expects, what it found, and what that means. Pure."""
