"""Remembers a setting that was chosen on a screen, unless something stronger sets it."""

from typing import TYPE_CHECKING

from modeltui.config.settings import Value
from modeltui.config.writer import choose, pinned_by
from modeltui.errors import ModeltuiError

if TYPE_CHECKING:
    from modeltui.tui.app import ModelTuiApp


def remember(app: "ModelTuiApp", key: str, value: Value, what: str) -> None:
    """Write one dotted key to settings.toml; `what` names it where it lasts only until the end."""
    services = app.services
    pinned = pinned_by(services.config, services.paths, key)
    if pinned is not None:
        app.tell(f"{what} lasts until the end: {pinned} sets another", "attention")
        return
    try:
        choose(services.paths, key, value)
    except ModeltuiError as error:
        app.tell_error(error)
