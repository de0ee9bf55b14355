"""Training runs: a directory and a process each, an event log, and the queue."""
