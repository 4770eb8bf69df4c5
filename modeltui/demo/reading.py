"""Handlers that only read: version, status, lists, show, ps, the account."""

from modeltui.demo import shapes
from modeltui.demo.http1 import PLAIN_JSON, Answer, data_answer, text_answer
from modeltui.demo.refusals import Refusal
from modeltui.demo.state import Asked, State
from modeltui.domain import names
from modeltui.errors import InvalidName

_RECOMMENDED = (
    ("kimi-k2.6:cloud", "State-of-the-art coding and long-horizon execution", 262_144, 262_144),
    ("glm-5.1:cloud", "Reasoning and code generation", 202_752, 131_072),
    ("qwen3.5:cloud", "Reasoning, coding, and agentic tool use with vision", 262_144, 32_768),
    ("minimax-m2.7:cloud", "Fast, efficient coding and real-world productivity", 204_800, 128_000),
)


async def root(state: State, asked: Asked) -> Answer:
    return text_answer("Ollama is running", content_type="text/plain; charset=utf-8")


async def version(state: State, asked: Asked) -> Answer:
    return data_answer({"version": state.speech.version})


async def status(state: State, asked: Asked) -> Answer:
    return data_answer({"cloud": {"disabled": False, "source": "none"}})


async def tags(state: State, asked: Asked) -> Answer:
    models = [shapes.tags_entry(entry, state.speech) for entry in state.library.listed()]
    return data_answer({"models": models})


async def ps(state: State, asked: Asked) -> Answer:
    return data_answer({"models": [runner.listed() for runner in state.scheduler.listed()]})


async def show(state: State, asked: Asked) -> Answer:
    """Answer `/api/show`; a damaged model is 404 like a missing one (show_with_missing_blob)."""
    text = asked.name()
    if not text:
        raise Refusal(400, "model is required")
    try:
        name = names.parse(text)
    except InvalidName:
        raise Refusal(400, "invalid model name") from None
    entry = state.library.installed.get(name.key)
    if entry is None and name.is_cloud:
        raise offline_cloud("show")
    if entry is None or state.library.is_damaged(entry):
        raise Refusal(404, f"model '{name.short if state.speech.names_tag_of_missing else text}' not found")
    return data_answer(shapes.show(entry, verbose=asked.fields().get("verbose") is True))


def offline_cloud(verb: str) -> Refusal:
    """Return what a server without a way to ollama.com answers for a cloud model."""
    url = f"https://ollama.com:443/api/{verb}?ts=1795234803"
    return Refusal(502, f'Post "{url}": dial tcp: lookup ollama.com on 127.0.0.53:53: no such host')


async def me(state: State, asked: Asked) -> Answer:
    raise Refusal(503, "account unavailable")


async def signout(state: State, asked: Asked) -> Answer:
    raise Refusal(401, "unauthorized")


async def recommendations(state: State, asked: Asked) -> Answer:
    found: list[dict[str, object]] = [
        {"model": model, "description": words, "context_length": context, "max_output_tokens": most}
        for model, words, context, most in _RECOMMENDED
    ]
    found += [
        {
            "model": "gemma4",
            "description": "Reasoning and code generation locally",
            "vram_bytes": 12_000_000_000,
        },
        {
            "model": "qwen3.5",
            "description": "Reasoning and visual understanding",
            "vram_bytes": 14_000_000_000,
        },
    ]
    return data_answer({"recommendations": found})


async def openai_models(state: State, asked: Asked) -> Answer:
    """Answer `/v1/models`; no model at all is null, not an empty list (recorded)."""
    models = [shapes.openai_entry(entry) for entry in state.library.listed()]
    return data_answer({"object": "list", "data": models or None}, content_type=PLAIN_JSON)
