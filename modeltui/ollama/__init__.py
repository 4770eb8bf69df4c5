"""One Ollama server over its HTTP API: the client, and the wire format as the border of trust."""
