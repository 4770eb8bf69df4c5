"""modeltui: run Ollama models on headless machines from a terminal."""

__version__ = "0.1.0"
