"""Runs the command that a person wants run when the current model changes."""

import asyncio
from collections.abc import Mapping

from modeltui.domain.names import ModelName
from modeltui.services.servers import Link, end_command
from modeltui.services.tree import Services

HOOK_S = 30.0


async def run_hook(services: Services, link: Link, previous: str | None, name: ModelName) -> str | None:
    """Run the configured command; its failure is told and changes nothing."""
    hook = services.config.hook
    if hook is None:
        return None
    words = ("sh", "-c", hook) if isinstance(hook, str) else hook
    told = {
        "MODELTUI_CURRENT": name.short,
        "MODELTUI_PREVIOUS": previous or "",
        "MODELTUI_SERVER": link.endpoint.url,
    }
    error = await _run(words, {**services.environ, **told})
    services.log(link, "hook", name.short, error)
    return f"the hook failed: {error}" if error else None


async def _run(words: tuple[str, ...], environ: Mapping[str, str]) -> str | None:
    """Run a command in a session of its own for at most 30 s; what went wrong, or None."""
    try:
        process = await asyncio.create_subprocess_exec(
            *words,
            env=environ,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        return f"{words[0]}: {error.strerror}"
    try:
        async with asyncio.timeout(HOOK_S):
            code = await process.wait()
    except BaseException as error:
        await end_command(process)
        if isinstance(error, TimeoutError):
            return f"not ended after {HOOK_S:.0f} s"
        raise
    return f"exit code {code}" if code else None
