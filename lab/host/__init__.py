"""What the lab needs of Linux: the sandbox, networks, system calls, programs, the run directory."""
