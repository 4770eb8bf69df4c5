"""The edge to the machine itself: its GPUs, processor, memory and disks, and whether a server is on it."""
