"""Handlers that use a model: generate, chat and embed, each of which also loads and unloads."""

import asyncio
import hashlib
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from modeltui.demo import gotime
from modeltui.demo.http1 import Answer, Stream, data_answer
from modeltui.demo.library import DemoModel, Installed
from modeltui.demo.reading import offline_cloud
from modeltui.demo.refusals import Refusal
from modeltui.demo.runners import Runner
from modeltui.demo.state import Asked, State, installed
from modeltui.domain import names
from modeltui.errors import InvalidName

_WORDS = ("the", "of", "model", "memory", "a", "runs", "small", "and", "context", "layer", "fast", "token")
_GPU_BANDWIDTH = 400e9
_CPU_BANDWIDTH = 40e9
_SHORTEST_TOKEN = 0.002
_PROMPT_SPEEDUP = 20
_DEFAULT_LENGTH = 64
Lines = AsyncGenerator[dict[str, Any], None]


async def generate(state: State, asked: Asked) -> Answer | Stream:
    return await _run(state, asked, "generate")


async def chat(state: State, asked: Asked) -> Answer | Stream:
    return await _run(state, asked, "chat")


async def _run(state: State, asked: Asked, verb: str) -> Answer | Stream:
    fields, text = asked.fields(), asked.name()
    keep_alive = _keep_alive(fields)
    entry = _local(state, text, verb)
    prompt = _prompt(fields, verb)
    if not prompt and keep_alive == 0:
        state.scheduler.unload(entry)
        return data_answer(_line(text, verb, done_reason="unload"))
    if state.library.is_damaged(entry) or "completion" not in entry.model.capabilities:
        # A server that can't read the weights knows of no capability at all (load_with_missing_blob).
        raise Refusal(400, f'"{text}" does not support {verb}')
    if prompt and fields.get("think") not in (None, False) and "thinking" not in entry.model.capabilities:
        raise Refusal(400, f'"{text}" does not support thinking')
    options = _options(fields)
    if not prompt:
        async with state.scheduler.use(entry, keep_alive, options):
            return data_answer(_line(text, verb, done_reason="load"))
    lines = _speak(state, entry, text, verb, prompt, fields)
    return Stream(lines) if fields.get("stream") is not False else await _whole(lines, verb)


async def embed(state: State, asked: Asked) -> Answer:
    """Answer `/api/embed`; an empty input only loads."""
    fields, text = asked.fields(), asked.name()
    started = time.perf_counter()
    entry = _local(state, text, "embed")
    if state.library.is_damaged(entry):
        raise Refusal(400, f'"{text}" does not support embed')
    wanted = fields.get("input")
    inputs = [wanted] if isinstance(wanted, str) else wanted if isinstance(wanted, list) else []
    inputs = [str(item) for item in inputs if item]
    async with state.scheduler.use(entry, _keep_alive(fields), _options(fields)):
        loaded = time.perf_counter()
        found: dict[str, Any] = {"model": text, "embeddings": [_vector(entry.model, item) for item in inputs]}
        if inputs:
            count = sum(len(item.split()) + 2 for item in inputs)
            await asyncio.sleep(count * _SHORTEST_TOKEN / _PROMPT_SPEEDUP)
            found["total_duration"] = _nanoseconds(time.perf_counter() - started)
            found["load_duration"] = _nanoseconds(loaded - started)
            found["prompt_eval_count"] = count
        return data_answer(found)


def _keep_alive(fields: dict[str, Any]) -> int | None:
    value = fields.get("keep_alive")
    try:
        return None if value is None else gotime.keep_alive(value)
    except ValueError as error:
        raise Refusal(400, str(error)) from None


def _options(fields: dict[str, Any]) -> dict[str, Any]:
    options = fields.get("options")
    return options if isinstance(options, dict) else {}


def _local(state: State, text: str, verb: str) -> Installed:
    """Return the installed model; cloud models, stub or not, can't be reached from here."""
    try:
        entry = state.library.find(text)
        is_cloud = names.parse(text).is_cloud
    except InvalidName:
        entry, is_cloud = None, False
    if is_cloud or (entry is not None and entry.model.is_remote):
        raise offline_cloud(verb)
    return installed(state, text)


def _prompt(fields: dict[str, Any], verb: str) -> str:
    if verb == "generate":
        return str(fields.get("prompt") or "")
    messages = fields.get("messages")
    parts = messages if isinstance(messages, list) else []
    return " ".join(str(part.get("content") or " ") for part in parts if isinstance(part, dict))


def _line(text: str, verb: str, said: str = "", thought: str = "", **more: Any) -> dict[str, Any]:
    """Return one line; a `done_reason` makes it the last."""
    line: dict[str, Any] = {"model": text, "created_at": gotime.rfc3339(gotime.now())}
    if verb == "chat":
        line["message"] = {"role": "assistant", "content": said}
        if thought:
            line["message"]["thinking"] = thought
    else:
        line["response"] = said
        if thought:
            line["thinking"] = thought
    return {**line, "done": "done_reason" in more, **more}


async def _speak(
    state: State, entry: Installed, text: str, verb: str, prompt: str, fields: dict[str, Any]
) -> Lines:
    started = time.perf_counter()
    options = _options(fields)
    async with state.scheduler.use(entry, _keep_alive(fields), options) as runner, runner.turn:
        loaded = time.perf_counter()
        a_token = _seconds_a_token(state, runner)
        prompt_count = len(prompt.split()) + 10
        await asyncio.sleep(prompt_count * a_token / _PROMPT_SPEEDUP)
        began = time.perf_counter()
        limit = options.get("num_predict")
        limited = isinstance(limit, int) and limit > 0
        count = limit if limited and isinstance(limit, int) else _DEFAULT_LENGTH
        thinks = "thinking" in entry.model.capabilities and fields.get("think") is not False
        for number in range(count):
            await asyncio.sleep(a_token)
            word = f" {_word(prompt, number)}"
            if thinks and number < count // 3:
                yield _line(text, verb, thought=word)
            else:
                yield _line(text, verb, word)
        ended = time.perf_counter()
        metrics: dict[str, Any] = {"done_reason": "length" if limited else "stop"}
        if verb == "generate" and not fields.get("raw"):
            metrics["context"] = [259 + number % 40 for number in range(prompt_count + count)]
        metrics["total_duration"] = _nanoseconds(ended - started)
        metrics["load_duration"] = _nanoseconds(loaded - started)
        metrics["prompt_eval_count"] = prompt_count
        metrics["prompt_eval_duration"] = _nanoseconds(began - loaded)
        metrics["eval_count"] = count
        metrics["eval_duration"] = _nanoseconds(ended - began)
        yield _line(text, verb, **metrics)


async def _whole(lines: Lines, verb: str) -> Answer:
    """Join the lines of a stream into the one object of `stream: false`."""
    said, thought, last = "", "", {}
    async with aclosing(lines):
        async for last in lines:
            part = last["message"] if verb == "chat" else last
            said += part["content" if verb == "chat" else "response"]
            thought += part.get("thinking", "")
    part = last["message"] if verb == "chat" else last
    part["content" if verb == "chat" else "response"] = said
    if thought:
        part["thinking"] = thought
    return data_answer(last)


def _seconds_a_token(state: State, runner: Runner) -> float:
    """Return the time of one token: every byte of the weights is read once, from GPU or main memory."""
    if state.token_rate:
        return 1 / state.token_rate
    share = runner.vram / runner.size if runner.size else 1.0
    size = runner.entry.model.size / (8 if runner.entry.model.experts else 1)
    return max(_SHORTEST_TOKEN, size * share / _GPU_BANDWIDTH + size * (1 - share) / _CPU_BANDWIDTH)


def _word(prompt: str, number: int) -> str:
    return _WORDS[hashlib.sha256(f"{prompt} {number}".encode()).digest()[0] % len(_WORDS)]


def _vector(model: DemoModel, text: str) -> list[float]:
    """Return a vector of length 1 that depends on the text alone."""
    raw = hashlib.shake_256(f"{model.weights} {text}".encode("utf-8", "replace")).digest(model.embedding)
    values = [byte - 127.5 for byte in raw]
    length = sum(value * value for value in values) ** 0.5
    return [round(value / length, 8) for value in values]


def _nanoseconds(seconds: float) -> int:
    return max(1, int(seconds * gotime.NANOSECOND))
