"""Writes the systemd user unit that carries the queue on after a reboot, with how it is installed."""

from modeltui.services.detaching import variables, words_of_runner
from modeltui.services.tree import Services

PLACE = "~/.config/systemd/user/modeltui.service"

_TEXT = """\
# {place}: after a reboot it carries on what waits in the queue of modeltui.
#   mkdir -p ~/.config/systemd/user
#   modeltui queue unit > {place}
#   systemctl --user daemon-reload
#   systemctl --user enable --now modeltui.service
#   loginctl enable-linger            # so that it needs no login, and outlives one
# It ends when nothing is left to do; a pull that is asked for later starts its own runner.

[Unit]
Description=modeltui: carries the queue of pulls out

[Service]
Type=exec
ExecStart={command}
{environment}
Restart=on-failure
RestartSec=30
SuccessExitStatus=143

[Install]
WantedBy=default.target
"""


def unit_text(services: Services) -> str:
    """The unit for these directories and this interpreter; secrets are named in it, never written."""
    lines = [f"Environment={quoted(f'{key}={value}')}" for key, value in variables(services).items()]
    for server in services.config.servers:
        if server.token_env:
            lines.append(f"# Environment={server.token_env}=…    (the token of server {server.name})")
    command = " ".join(map(quoted, words_of_runner(services)))
    return _TEXT.format(place=PLACE, command=command.replace("$", "$$"), environment="\n".join(lines))


def quoted(word: str) -> str:
    """A word as systemd.syntax(7) and systemd.service(5) read it back."""
    word = word.replace("%", "%%").replace("\\", "\\\\").replace('"', '\\"')
    return f'"{word}"' if not word or set(word) & set(" \t;'\"\\") else word
