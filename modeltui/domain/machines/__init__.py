"""Machines in values: what was read, typed or imagined, and what cards are known to do."""
