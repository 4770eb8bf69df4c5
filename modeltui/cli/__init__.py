"""The command line: every action as a command, its answer as a table for people or as JSON."""
