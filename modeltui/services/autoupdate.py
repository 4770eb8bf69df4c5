"""Updates by themselves: whether it is their time, what must not be touched then, and the timer for them."""

import sys
from collections.abc import Iterable
from datetime import datetime

from modeltui.domain.updates import is_within
from modeltui.services.library import Library
from modeltui.services.servers import Link
from modeltui.services.tree import Services
from modeltui.services.updating import Finding

_UNITS = """\
# ~/.config/systemd/user/modeltui-update.service: does what [updates] of config.toml says.

[Unit]
Description=modeltui: looks for newer versions of the installed models

[Service]
Type=oneshot
ExecStart={command}
{environment}
# A runner that carries other pulls, too, goes on.
KillMode=process

# ~/.config/systemd/user/modeltui-update.timer: calls it once a day. Both files, then:
#   systemctl --user daemon-reload
#   systemctl --user enable --now modeltui-update.timer

[Unit]
Description=modeltui: once a day

[Timer]
OnCalendar={calendar}

[Install]
WantedBy=timers.target
"""


def why_not_now(services: Services) -> str | None:
    """Why updates do not happen by themselves now, in words; None when it is their time."""
    config = services.config
    if config.update_auto == "off":
        return "updates.auto is off"
    now = datetime.fromtimestamp(services.clock() / 1000)
    if config.update_window is not None and not is_within(config.update_window, now.hour * 60 + now.minute):
        return f"it is {now:%H:%M}, and updates.window is {config.update_window}"
    return None


async def set_apart(
    services: Services, link: Link, due: Iterable[Finding]
) -> tuple[list[Finding], list[tuple[Finding, str]]]:
    """What may be pulled without a person, and what may not, with the reason: what is loaded or held back.

    Where the server does not say what is loaded, nothing may. Raises ServerError and, where it is not known
    what is held back, StoreError.
    """
    listing = await Library(services, link, keeps_list=False).listing()
    entries = {entry.model.sent: entry for entry in listing.entries}
    held = services.store.facts.held(link.id)
    free, busy = [], list[tuple[Finding, str]]()
    for finding in due:
        entry = entries.get(finding.model.sent)
        if entry is None:
            busy.append((finding, "it is gone"))
        elif entry.model.digest in held:
            busy.append((finding, "it is quarantined"))
        elif listing.loaded is None:
            busy.append((finding, "the server does not say what is loaded"))
        elif entry.loaded is not None:
            busy.append((finding, "it is loaded"))
        else:
            free.append(finding)
    return free, busy


def timer_units(services: Services) -> str:
    """A systemd user service and its timer for `modeltui upgrade --auto`, as text with how to install them.

    The timer begins with updates.window; outside of it the command itself does nothing.
    """
    from modeltui.services.detaching import variables
    from modeltui.services.unit import quoted

    window, profile = services.config.update_window, services.config.typed_profile
    words = [sys.executable, "-m", "modeltui", "upgrade", "--auto"]
    words += [f"--profile={profile}"] if profile else []
    places = [f"Environment={quoted(f'{key}={value}')}" for key, value in variables(services).items()]
    return _UNITS.format(
        command=" ".join(map(quoted, words)).replace("$", "$$"),
        environment="\n".join(places),
        calendar=f"*-*-* {window[:5] if window else '03:00'}:00",
    )
