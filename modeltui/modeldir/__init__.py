"""The models directory of a server on this machine."""
