"""`catalog`: listed, shown and refreshed from the command line; what names mean is said before a pull."""

import json
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack

import pytest
from commandline import Behind, Home, Ran, Stage
from libsite import Site, SiteModel, SiteTag, serving

from modeltui.catalog.loading import REFRESHED, load_base
from modeltui.demo.library import DemoModel, manifest_of
from modeltui.domain.advice.tasks import Task

Cli = Callable[..., Ran]
NEW = "0123456789ab"


@pytest.fixture
def site(behind: Behind, home: Home, stage: Stage) -> Iterator[Site]:
    """A live library with one bundled model, unchanged, that the home reads."""
    bundled = load_base(None).series["qwen3"]
    tags = [SiteTag(tag.tag, tag.digest) for tag in bundled.tags]
    site, stack = Site([SiteModel("qwen3", tags)]), AsyncExitStack()
    behind.do(stack.enter_async_context(serving(site)))
    configured = home.paths.config_file.read_text()
    home.write_config(f'{configured}\n[registries."ollama.com"]\nbase_url = "{site.url}"\n')
    yield site
    behind.do(stack.aclose())


class TestList:
    def test_one_row_a_series_without_words(self, cli: Cli, stage: Stage) -> None:
        ran = cli("catalog", "--json")
        assert (ran.code, ran.err) == (0, "")
        rows = ran.json
        assert len({row["series"] for row in rows}) == len(rows) == len(load_base(None).series)
        assert (rows[0]["name"], rows[0]["also"]) == ("llama3.1:8b", ["latest", "8b-instruct-q4_K_M"])
        assert rows[0]["size"] == 4_920_753_328 and rows[0]["size_exact"] is True
        assert rows[0]["needs"] > 4_900_000_000

    def test_words_find_downloads(self, cli: Cli, stage: Stage) -> None:
        ran = cli("catalog", "vision", "q4_K_M", "<8gb", ">7b", "license:apache", "--json")
        assert ran.code == 0 and ran.json
        for row in ran.json:
            assert "vision" in row["capabilities"] and row["quantization"] == "Q4_K_M"
            assert row["size"] < 8_000_000_000 and row["parameter_count"] > 7_000_000_000
            assert "apache" in row["license"].casefold()

    def test_installed_ones_are_marked(self, cli: Cli, stage: Stage) -> None:
        ran = cli("catalog", "installed", "--json")
        assert {row["name"] for row in ran.json} >= {"llama3.2:3b", "qwen3:8b"}
        assert all(row["installed"] for row in ran.json)

    @pytest.mark.parametrize("sort", ["popularity", "size", "date", "fit"])
    def test_orders_and_limits(self, cli: Cli, stage: Stage, sort: str) -> None:
        rows = cli("catalog", "type:code", "--vram", "8", "--sort", sort, "--json", "--limit", "30").json
        assert len(rows) == 30 and {row["type"] for row in rows} == {"code"}
        if sort == "size":
            assert [row["size"] for row in rows] == sorted(row["size"] for row in rows)
        if sort == "fit":
            assert [row["fit_score"] for row in rows] == sorted((r["fit_score"] for r in rows), reverse=True)
        if sort == "date":
            assert rows[0]["released"] >= rows[-1]["released"]

    def test_what_fits_on_other_hardware(self, cli: Cli, stage: Stage) -> None:
        small = cli("catalog", "fit:gpu", "type:general", "--vram", "8", "--json").json
        large = cli("catalog", "fit:gpu", "type:general", "--hardware", "2x24GB", "--json").json
        only_large = {row["name"] for row in large} - {row["name"] for row in small}
        assert {"qwen3:32b", "gemma3:27b"} <= only_large
        assert small and all(row["fit"] == "gpu" for row in small)
        needing = cli("catalog", "vram<6", "--json", "-n", "50").json
        assert needing and all(row["needs"] < 6 * 2**30 for row in needing)

    def test_a_table_for_a_person(self, screen: Cli, stage: Stage) -> None:
        ran = screen("catalog", "llama3.1", "-n", "3", columns=100)
        lines = ran.out.splitlines()
        assert ran.code == 0 and "NAME" in lines[0] and "llama3.1:8b" in lines[1]
        assert (
            "3 of " in ran.out and "--limit 0 shows all" in ran.out and "modeltui catalog refresh" in ran.out
        )

    def test_nothing_found(self, cli: Cli, stage: Stage) -> None:
        ran = cli("catalog", "no-such-thing-anywhere")
        assert (ran.code, ran.out) == (0, "") and "0 downloads" in ran.err
        assert cli("catalog", "no-such-thing-anywhere", "--json").json == []

    def test_without_a_server(self, cli: Cli, stage: Stage) -> None:
        stage.stop()
        ran = cli("catalog", "qwen3", "--json")
        assert ran.code == 0 and len(ran.json) > 10
        assert not any(row["installed"] for row in ran.json)

    @pytest.mark.parametrize(
        "words",
        [
            ("catalog", "show"),
            ("catalog", "show", "a", "b"),
            ("catalog", "--limit", "-1"),
            ("catalog", "--sort", "colour"),
            ("catalog", "--vram", "8", "--hardware", "8GB"),
            ("catalog", "llama", "--lookup"),
            ("catalog", "--hardware", "a boat"),
        ],
    )
    def test_what_cannot_be_asked(self, cli: Cli, stage: Stage, words: tuple[str, ...]) -> None:
        ran = cli(*words)
        assert (ran.code, ran.out) == (2, "") and "try" in ran.err


class TestShow:
    def test_published_scores_with_who_ran_them_when_and_where(self, cli: Cli, stage: Stage) -> None:
        ran = cli("catalog", "show", "llama3.1:8b")
        assert "published scores of its size" in ran.out
        assert "Open LLM Leaderboard v2 MMLU-Pro (raw): 37.98 of 100" in ran.out
        scores = cli("catalog", "show", "llama3.1:8b", "--json").json["scores"]
        assert {score["size"] for score in scores} <= {"8b", ""}
        assert all(score["source"] and score["date"] and score["kind"] for score in scores)
        assert "published scores" not in cli("catalog", "show", "cogito:8b").out, "it has none"

    def test_how_suitable_it_is_for_every_task(self, cli: Cli, stage: Stage) -> None:
        ran = cli("catalog", "show", "nomic-embed-text:latest")
        assert "how suitable it is, 0 to 10\nembedding " in ran.out
        assert "not made for    general, coding, reasoning" in ran.out
        rows = cli("catalog", "show", "llama3.1:8b", "--json").json["suitability"]
        assert [row["task"] for row in rows] == list(Task)
        assert all(row["low"] <= row["value"] <= row["high"] and row["source"] for row in rows)

    def test_a_series_of_mixtures_is_not_called_dense(self, cli: Cli, stage: Stage) -> None:
        assert "chat, dense by default" in cli("catalog", "show", "qwen3:30b").out
        assert "chat, dense\n" in cli("catalog", "show", "llama3.1:8b").out

    def test_a_series(self, cli: Cli, stage: Stage) -> None:
        ran = cli("catalog", "show", "llama3.1")
        assert ran.code == 0
        for fact in ("Meta", "Llama 3.1 Community License", "2026-08-21", "llama3.1:70b", "followed by"):
            assert fact in ran.out, fact
        shape = cli("catalog", "show", "llama3.1", "--json").json
        assert shape["name"] == "llama3.1" and shape["succeeded_by"] == ["llama3.3"]
        assert "llama3.1:8b" in [tag["name"] for tag in shape["tags"]]

    def test_a_tag(self, cli: Cli, stage: Stage) -> None:
        ran = cli("catalog", "show", "llama3.1:8b-instruct-q4_K_M", "--vram", "24")
        assert ran.code == 0
        for fact in (
            "4920753328 bytes",
            "46e0c10c039e",
            "Q4_K_M",
            "llama3.1:latest",
            "KV cache",
            "simulated",
        ):
            assert fact in ran.out, fact
        shape = cli("catalog", "show", "llama3.1:8b-instruct-q4_K_M", "--json", "--vram", "24").json
        assert (shape["tag"], shape["also"]) == ("8b-instruct-q4_K_M", ["8b", "latest"])
        assert shape["verdict"]["fit"] == "gpu" and shape["lookup"] is None

    def test_a_name_that_is_no_tag(self, cli: Cli, stage: Stage) -> None:
        ran = cli("catalog", "show", "llama3.1:8b-instruct", "--json")
        assert ran.code == 0 and ran.json["name"] == "llama3.1:8b"
        assert ran.json["asked"] == "llama3.1:8b-instruct"
        assert "llama3.1:8b-instruct is no tag" in ran.err

    @pytest.mark.parametrize(
        ("name", "near"),
        [
            ("llama3.1:13b", "llama3.1:8b"),
            ("lama3.1", "llama3.1"),
            ("glm-4.6:cloud", "glm-5.2:cloud"),
            ("someone/thing:1b", None),
        ],
    )
    def test_what_is_not_there(self, cli: Cli, stage: Stage, name: str, near: str | None) -> None:
        ran = cli("catalog", "show", name, "--json")
        assert (ran.code, ran.out, ran.error["code"]) == (5, "", "no_such_model")
        assert near is None or near in ran.error["alternatives"]

    def test_a_look_up(self, cli: Cli, stage: Stage) -> None:
        model = DemoModel("qwen3:8b", "newer", 5_300_000_000, "qwen3", 8_190_735_360)
        stage.publish(model)
        shape = cli("catalog", "show", "qwen3:8b", "--lookup", "--json").json
        assert shape["lookup"]["digest"] == manifest_of(model).digest
        assert shape["lookup"]["size"] == manifest_of(model).size
        assert (shape["lookup"]["parameter_size"], shape["lookup"]["quantization"]) == ("8.2B", "Q4_K_M")
        assert shape["digest"] != shape["lookup"]["digest"][:12]
        ran = cli("catalog", "show", "qwen3:8b", "--lookup")
        assert "newer than the catalog" in ran.out and "asked just now" in ran.out
        tiny = cli("catalog", "show", "tiny-demo", "--lookup", "--json")
        assert (tiny.code, tiny.json["name"], tiny.json["asked"]) == (0, "tiny-demo:latest", "tiny-demo")
        assert cli("catalog", "show", "nowhere-at-all:1b", "--lookup").code == 5


class TestRefresh:
    def test_what_is_new_is_there_afterwards(self, cli: Cli, stage: Stage, site: Site) -> None:
        site.models.append(SiteModel("fresh9", [SiteTag("9b-q4_K_M", NEW)]))
        assert cli("catalog", "show", "fresh9").code == 5
        ran = cli("catalog", "refresh")
        assert ran.code == 0
        assert "2 models" in ran.out and "new: fresh9" in ran.out
        assert "tags of 1 models: 1 read" in ran.err
        assert cli("catalog", "fresh9", "--json").json[0]["name"] == "fresh9:9b-q4_K_M"
        assert "today" in cli("catalog", "show", "fresh9").out
        shape = cli("catalog", "refresh", "--json").json
        assert (shape["new"], shape["pages"], shape["unread"]) == ([], 0, [])

    def test_a_model_that_cannot_be_read_is_3(self, cli: Cli, stage: Stage, site: Site) -> None:
        for number in range(3):
            site.models.append(SiteModel(f"fresh{number}", [SiteTag("latest", NEW)]))
        site.models[1].stated = 5
        ran = cli("catalog", "refresh")
        assert ran.code == 3 and "left as it was: fresh0" in ran.out and "1 tags of 5" in ran.out

    def test_a_site_that_changed_changes_nothing(
        self, cli: Cli, home: Home, stage: Stage, site: Site
    ) -> None:
        site.pages["/library"] = "<html><body>A new look</body></html>"
        ran = cli("catalog", "refresh", "--json")
        assert (ran.code, ran.out, ran.error["code"]) == (1, "", "garbled")
        assert not (home.paths.cache / REFRESHED).exists()

    def test_on_a_terminal_its_line_goes_away(self, screen: Cli, stage: Stage, site: Site) -> None:
        site.models.append(SiteModel("fresh9", [SiteTag("9b", NEW)]))
        ran = screen("catalog", "refresh", columns=60)
        assert ran.code == 0 and "\r\x1b[K" in ran.out and "new: fresh9" in ran.out

    def test_no_command_reads_the_site_unasked(self, cli: Cli, stage: Stage, site: Site) -> None:
        for words in (("catalog",), ("catalog", "show", "qwen3"), ("ls",), ("pull", "qwen3:8b")):
            cli(*words)
        assert site.asked == []


class TestPulling:
    def test_what_is_meant_is_said_and_pulled(self, cli: Cli, stage: Stage) -> None:
        stage.publish(DemoModel("llama3.1:8b", "llama", 2_000_000))
        ran = cli("pull", "llama3.1:8b-instruct")
        assert ran.code == 0
        assert ran.err.splitlines()[0].startswith("llama3.1:8b-instruct is no tag; llama3.1:8b")
        assert ran.err.splitlines()[0].endswith("pulling llama3.1:8b")
        assert "llama3.1:8b" in stage.installed

    def test_where_several_may_be_meant_nothing_is_queued(self, cli: Cli, stage: Stage) -> None:
        ran = cli("pull", "tiny-demo", "llama3.1:13b", "--json")
        assert (ran.code, ran.out) == (5, "")
        assert {"llama3.1:8b", "llama3.1:70b"} <= set(ran.error["alternatives"])
        assert cli("queue", "--json").json == []

    def test_a_slip_names_what_is_near(self, cli: Cli, stage: Stage) -> None:
        ran = cli("pull", "lama3.1:8b")
        assert ran.code == 5
        assert "near lama3.1:8b in the catalog: llama3.1:8b" in ran.err
        row = cli("queue", "--json").json[0]
        assert row["cause"] == "unknown_model" and "near it: llama3.1:8b" in row["detail"]

    def test_names_of_the_demonstration_are_pulled_as_typed(self, cli: Cli, stage: Stage) -> None:
        assert cli("pull", "tiny-demo").code == 0
        assert "tiny-demo:latest" in stage.installed


def test_ls_says_what_each_is_for(cli: Cli, stage: Stage) -> None:
    rows = {row["name"]: row for row in cli("ls", "--json").json}
    assert (rows["llama3.2:3b"]["type"], rows["llama3.2:3b"]["purpose"]) == ("general", "speed")
    assert (rows["qwen2.5-coder:7b"]["type"], rows["qwen2.5-coder:7b"]["purpose"]) == ("code", "balanced")
    assert rows["nomic-embed-text:latest"]["purpose"] == "specialized"
    assert [row["name"] for row in cli("ls", "type:code", "purpose:balanced", "<8b", "--json").json] == [
        "qwen2.5-coder:7b"
    ]
    assert json.loads(cli("show", "qwen3:8b", "--json").out)["purpose"] == "balanced"


def test_ls_knows_fit_and_licence_where_they_are_asked_for(cli: Cli, home: Home, stage: Stage) -> None:
    hand = "\n[servers.demo.hardware]\ngpus = '8GB'\nram = '16GB'\n"
    home.write_config(home.paths.config_file.read_text() + hand)

    def names(*words: str) -> set[str]:
        return {row["name"] for row in cli("ls", *words, "--json").json}

    assert "llama3.2:3b" in names("fit:gpu", "vram<8") and "qwen3.5:27b" not in names("fit:gpu")
    assert "qwen3.5:27b" in names("fit:split") | names("fit:no")
    assert "gpt-oss:120b-cloud" not in names("fits")
    assert {"qwen3:8b", "qwen3.5:27b"} <= names("license:apache")
    assert "llama3.2:3b" not in names("license:apache")
    assert {"qwen3:8b", "qwen2.5-coder:7b"} <= names("alibaba"), "its publisher"
    assert "llama3.2:3b" not in names("alibaba")
