"""The demonstration server: an Ollama-compatible server on a real socket, with faults on demand.

Start one with `modeltui.demo.server.DemoServer`; nothing is imported here, so that a program that
needs no demonstration pays nothing for it.
"""
