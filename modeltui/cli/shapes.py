"""The JSON of every answer: keys are snake_case, never renamed, always there; null is unknown."""

from typing import TYPE_CHECKING, Any

from modeltui.domain.models import parameter_count
from modeltui.domain.units import iso

if TYPE_CHECKING:
    from modeltui.domain.advice.tasks import Purpose
    from modeltui.domain.memory.predictions import Prediction
    from modeltui.domain.models import LoadedModel, ModelDetails
    from modeltui.services.library import Entry
    from modeltui.services.monitoring import Running, RunningNow
    from modeltui.services.pulls import AtOnce
    from modeltui.services.speeds import Seen
    from modeltui.store.journal import Entry as JournalEntry
    from modeltui.store.queue import QueuedTransfer


def entry(row: "Entry", purpose: "Purpose | None" = None, seen: "Seen | None" = None) -> dict[str, Any]:
    """One model of `ls`."""
    model = row.model
    return {
        "name": model.shown,
        "series": model.name.series if model.name else None,
        "size": model.size,
        "digest": model.digest,
        "modified": iso(model.modified),
        "format": model.format,
        "family": model.family,
        "parameter_count": row.parameter_count,
        "parameter_size": model.parameter_size,
        "quantization": model.quantization,
        "context": model.context,
        "capabilities": _words(model.capabilities),
        "type": row.type,
        "purpose": purpose,
        "state": row.state,
        "current": row.is_current,
        "alias_of": row.alias_of,
        "loaded": None if row.loaded is None else loaded(row.loaded, row.loaded_by),
        "last_used": None,
        "performance": _performance(row, seen),
    }


def loaded(runner: "LoadedModel", by: str | None) -> dict[str, Any]:
    """How a model is loaded, by the server's account; `by` says what it was recognised by."""
    return {
        "vram": runner.vram,
        "ram": runner.ram,
        "context": runner.context,
        "expires_at": iso(runner.expires_at),
        "by": by,
    }


def _performance(row: "Entry", seen: "Seen | None") -> dict[str, Any] | None:
    """What was measured here; `tokens_per_s` is the number of column TOK/S."""
    if row.last_load is None and seen is None:
        return None
    times = [row.last_load.at] if row.last_load else []
    return {
        "tokens_per_s": None if seen is None else round(seen.tokens, 2),
        "load_ms": row.last_load.load_ms if row.last_load else None,
        "measured_at": iso(max([*times, *([seen.at] if seen else [])])),
        "uses": None,
        "success_rate": None,
    }


def details(
    row: "Entry",
    shown: "ModelDetails",
    shares: tuple[str, ...],
    path: str | None,
    account: str | None,
    purpose: "Purpose | None" = None,
    seen: "Seen | None" = None,
) -> dict[str, Any]:
    """One model of `show`."""
    model = row.model
    size = shown.parameter_size or model.parameter_size
    capabilities = shown.capabilities if shown.capabilities is not None else model.capabilities
    set_context = shown.options.get("num_ctx")
    exact = shown.parameter_count
    return {
        **entry(row, purpose, seen),
        "format": shown.format or model.format,
        "family": shown.family or model.family,
        "architecture": shown.architecture,
        "parameter_count": exact if exact is not None else parameter_count(size),
        "parameter_size": size,
        "quantization": shown.quantization or model.quantization,
        "capabilities": _words(capabilities),
        "context": shown.context if shown.context is not None else model.context,
        "context_set": set_context if isinstance(set_context, int) else None,
        "context_loaded": row.loaded.context if row.loaded else None,
        "embedding_length": shown.embedding_length,
        "template": shown.template,
        "system": shown.system,
        "options": dict(shown.options),
        "license": shown.license,
        "base_model": shown.base_model,
        "requires": shown.requires,
        "weights": shown.weights,
        "shares_weights_with": list(shares),
        "projector": dict(shown.projector) or None,
        "adapters": list(shown.adapters),
        "remote_host": shown.remote_host or model.remote_host,
        "remote_model": shown.remote_model or model.remote_model,
        "signed_in_as": account,
        "path": path,
    }


def running(row: "Running", now: "RunningNow", ahead: "Prediction | None" = None) -> dict[str, Any]:
    """One model of `ps`: what is true as far as can be seen, what the server claims, what was predicted."""
    runner = row.runner
    return {
        "name": runner.shown,
        "digest": runner.digest,
        "family": runner.family,
        "parameter_size": runner.parameter_size,
        "quantization": runner.quantization,
        "size": runner.size,
        "vram": runner.vram,
        "ram": runner.ram,
        "context": runner.context,
        "expires_at": iso(runner.expires_at),
        "kept_forever": runner.is_kept_forever(now.at),
        "state": row.state,
        "server_says": row.claim,
        "hardware": now.verdict.value,
        "predicted": None if ahead is None else _predicted(ahead),
    }


def _predicted(ahead: "Prediction") -> dict[str, Any]:
    """`printed` is to be compared with `size`, `needs` is what it really takes; `deviation` 0.02: 2 % off."""
    share = ahead.deviation
    return {
        "printed": ahead.printed,
        "needs": ahead.really,
        "deviation": None if share is None else round(share, 4),
    }


def transfer(row: "QueuedTransfer", server: str | None, at: int) -> dict[str, Any]:
    """One transfer of `queue` and of the stream of `pull`."""
    now = row.transfer
    return {
        "number": row.number,
        "name": now.name.short,
        "pulled_as": now.sent.short,
        "server": server,
        "state": now.state,
        "wanted": now.wanted,
        "cause": now.cause,
        "detail": now.detail or None,
        "position": None if now.is_final else row.position,
        "done": now.done,
        "total": now.total,
        "total_exact": now.total_exact,
        "present": now.present,
        "percent": now.percent,
        "speed": now.speed_at(at),
        "remaining_ms": now.remaining_ms(at),
        "average_speed": now.average_speed,
        "duration_ms": now.active_ms or None,
        "attempts": now.attempts,
        "tries": now.tries,
        "retry_at": iso(now.retry_at),
        "created": iso(row.created),
        "started": iso(now.started),
        "ended": iso(now.ended),
    }


def per_server(found: "AtOnce", server: str) -> dict[str, Any]:
    """The answer of `queue per-server`; `wished` null: what is configured counts."""
    return {
        "server": server,
        "per_server": found.count,
        "source": found.source,
        "wished": found.wished,
        "configured": found.configured,
        "configured_by": found.configured_by,
    }


def activity(row: "JournalEntry") -> dict[str, Any]:
    return {
        "at": iso(row.at),
        "user": row.user,
        "origin": row.origin,
        "server": row.server,
        "action": row.action,
        "object": row.object,
        "result": row.result,
        "error": row.error,
    }


def _words(words: frozenset[str] | None) -> list[str] | None:
    return None if words is None else sorted(words)
