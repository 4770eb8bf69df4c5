"""The configuration: TOML and environment in, checked settings with their sources out.

Precedence: command line, environment, the chosen profile, config.toml, settings.toml, defaults.
A value that is not allowed is a problem that names file and key, and the default counts; a file that
cannot be read at all, or a server that cannot be told, is an error: acting on another server is worse.
"""
