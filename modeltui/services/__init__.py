"""Use-cases: what a user would call one action; async, without Textual, knowing no widget."""
