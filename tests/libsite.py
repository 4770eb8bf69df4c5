"""A live library written by hand: pages as ollama.com has them, served from a real socket, with faults."""

import asyncio
import html
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass
class SiteTag:
    """One row of a page of tags."""

    tag: str
    digest: str | None
    size: str = "4.9GB"
    context: str = "128K"
    inputs: str = "Text"


@dataclass
class SiteModel:
    """One card, and its page of tags; `stated` is how many tags the card says, None as many as there are."""

    name: str
    tags: list[SiteTag]
    description: str = "A model with 7b of its 128K words in vision, 3 Tags and 2 Pulls of it."
    chips: tuple[str, ...] = ("tools",)
    sizes: tuple[str, ...] = ("8b",)
    pulls: str = "118.7M"
    updated: str = "1 year ago"
    updated_title: str | None = "Jul 30, 2024 1:02 AM UTC"
    stated: int | None = None


@dataclass
class Site:
    """The site: `faults` maps a path to statuses that it answers with before it answers well."""

    models: list[SiteModel] = field(default_factory=list)
    faults: dict[str, list[int]] = field(default_factory=dict)
    pages: dict[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    url: str = ""
    asked: list[str] = field(default_factory=list)
    agents: set[str] = field(default_factory=set)
    open: int = 0
    most_open: int = 0

    @property
    def counts(self) -> Counter[str]:
        return Counter(self.asked)

    def model(self, name: str) -> SiteModel:
        return next(model for model in self.models if model.name == name)

    def page(self, path: str) -> str | None:
        if path in self.pages:
            return self.pages[path]
        if path == "/library":
            return library_page(self.models)
        for model in self.models:
            if path == f"/library/{model.name}/tags":
                return tags_page(model)
        return None

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            path = head.split(" ")[1]
            self.asked.append(path)
            self.agents |= {
                line.partition(": ")[2] for line in head.splitlines() if line.lower().startswith("user-a")
            }
            self.open += 1
            self.most_open = max(self.most_open, self.open)
            await asyncio.sleep(self.delay_s)
            self.open -= 1
            writer.write(self._reply(path))
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def _reply(self, path: str) -> bytes:
        faults = self.faults.get(path)
        if faults:
            return (
                f"HTTP/1.1 {faults.pop(0)} Fault\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
            )
        page = self.page(path)
        status, body = ("404 Not Found", b"") if page is None else ("200 OK", page.encode())
        head = f"HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {len(body)}"
        return f"{head}\r\nConnection: close\r\n\r\n".encode() + body


@asynccontextmanager
async def serving(site: Site) -> AsyncIterator[Site]:
    """Serve a site on loopback."""
    async with await asyncio.start_server(site.answer, "127.0.0.1", 0) as server:
        site.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield site


def library_page(models: list[SiteModel]) -> str:
    """The page of all models, with the links beside the list that a real one has, too."""
    return _document("".join(map(_card, models)))


def tags_page(model: SiteModel) -> str:
    """A model's page of tags: each row twice, once for narrow screens."""
    head = f'<a href="/library/{model.name}"><h1>{model.name}</h1></a><p>{html.escape(model.description)}</p>'
    return _document(head + "".join(_row(model.name, tag) for tag in model.tags))


def _document(body: str) -> str:
    return f"""<!doctype html>
<html><head><title>Ollama 0123456789ab 4.9GB</title><style>.a {{ color: red }} /* 99 Tags */</style></head>
<body>
<nav><a href="/"><svg><title>46e0c10c039e</title></svg></a> <a href="/models">Models</a>
  <a href="https://example.com/library/elsewhere">elsewhere</a> <a href="/library">Library</a></nav>
<main>{body}</main>
<footer>&copy; Ollama <a href="/blog">Blog</a> Text and Image, 7 days ago</footer>
<script>var x = "<a href='/library/never'>";</script></body></html>"""


def _card(model: SiteModel) -> str:
    stated = len(model.tags) if model.stated is None else model.stated
    chips = "".join(f'<span class="inline-flex">{chip}</span>\n' for chip in (*model.chips, *model.sizes))
    title = f' title="{model.updated_title}"' if model.updated_title else ""
    return f"""
<li x-test-model class="flex"><a href="/library/{model.name}" class="group w-full">
  <div title="{model.name}"><h2><span class="x">{model.name}</span></h2>
    <p class="max-w-lg">{html.escape(model.description)}</p></div>
  <div>{chips}</div>
  <p><span><svg/><span>{model.pulls}</span><span>&nbsp;Pulls</span></span>
    <span><span>{stated}</span> <span>&nbsp;Tags</span></span>
    <span class="flex"{title}><span>Updated&nbsp;</span><span>{model.updated}</span></span></p></a></li>"""


def _row(model: str, tag: SiteTag) -> str:
    link = f"/library/{model}:{tag.tag}"
    digest = tag.digest or ""
    row = f"{tag.size} • {tag.context} context window • {tag.inputs} input"
    name = f"{model}:{tag.tag}"
    return f"""
<div class="group"><a href="{link}" class="md:hidden"><span>{name}</span><span>latest</span>
  <span><span class="font-mono">{digest}</span> • {row} • 1 year ago</span></a>
 <div class="hidden"><a href="{link}">{name}</a> <input value="{name}" class="command hidden">
  <p>{tag.size}</p><p>{tag.context}</p><div>{tag.inputs}</div>
  <div><span class="font-mono">{digest}</span> · 1 year ago</div></div></div>"""
