"""The configuration: what counts, where it comes from, what is refused, and that no secret is shown."""

import re
import tomllib
from collections.abc import Callable, Mapping
from operator import attrgetter
from pathlib import Path
from typing import Any

import pytest

from modeltui.config.keys import HARDWARE_KEYS, KEYS, REGISTRY_KEYS, SERVER_KEYS
from modeltui.config.reader import load
from modeltui.config.settings import Config, Setting
from modeltui.config.template import TEMPLATE
from modeltui.domain.advice.tasks import Priority, Task
from modeltui.errors import ConfigError, ModeltuiError, NoSuchServer, UsageError
from modeltui.paths import Paths, paths_under

Read = Callable[..., Config]
LOCAL = "http://127.0.0.1:11434"


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    paths = paths_under(tmp_path)
    paths.config.mkdir()
    return paths


@pytest.fixture
def read(paths: Paths) -> Read:
    """Write the files and load them."""

    def read(
        config: str = "", settings: str = "", environ: Mapping[str, str] | None = None, **typed: str
    ) -> Config:
        paths.config_file.write_text(config, encoding="utf-8")
        paths.settings_file.write_text(settings, encoding="utf-8")
        return load(paths, environ or {}, **typed)

    return read


def setting(config: Config, key: str) -> Setting:
    """The one setting of that key."""
    (found,) = [setting for setting in config.settings if setting.key == key]
    return found


# --- which source wins ------------------------------------------------------------------------------

SERVERS = "\n".join(f"servers.{name}.url = '{name}'" for name in ("a", "b", "c", "d", "e", "f"))
# Source (CONFIG and SETTINGS stand for the files' paths) and what is written there, the strongest first.
Levels = list[tuple[str, dict[str, str], object]]
OF_SERVER: Levels = [
    ("command line", {"server": "a"}, "a"),
    ("environment", {"MODELTUI_SERVER": "b"}, "b"),
    ("CONFIG, profile work", {"config": "profiles.work.server = 'c'"}, "c"),
    ("CONFIG", {"config": "server = 'd'"}, "d"),
    ("SETTINGS", {"settings": "server = 'e'"}, "e"),
    ("default", {}, None),
]
OF_DEFAULT_MODEL: Levels = [
    ("environment", {"MODELTUI_DEFAULT_MODEL": "a"}, "a"),
    ("environment", {"DEFAULT_MODEL": "b"}, "b"),
    ("CONFIG, profile work", {"config": "profiles.work.default_model = 'c'"}, "c"),
    ("CONFIG", {"config": "default_model = 'd'"}, "d"),
    ("SETTINGS", {"settings": "default_model = 'e'"}, "e"),
    ("default", {}, None),
]
OF_RETRIES: Levels = [
    ("environment", {"MODELTUI_DOWNLOADS__RETRIES": "2"}, 2),
    ("SETTINGS, profile work", {"settings": "profiles.work.downloads.retries = 3"}, 3),
    ("CONFIG", {"config": "downloads.retries = 4"}, 4),
    ("SETTINGS", {"settings": "downloads.retries = 5"}, 5),
    ("default", {}, 10),
]
OF_TOKEN_ENV: Levels = [
    ("environment", {"MODELTUI_SERVERS__A__TOKEN_ENV": "FROM_ENVIRONMENT"}, "FROM_ENVIRONMENT"),
    ("CONFIG, profile work", {"config": "profiles.work.servers.a.token_env = 'OF_WORK'"}, "OF_WORK"),
    ("CONFIG", {"config": "servers.a.token_env = 'OF_CONFIG'"}, "OF_CONFIG"),
    ("SETTINGS", {"settings": "servers.a.token_env = 'OF_SETTINGS'"}, "OF_SETTINGS"),
    ("default", {}, None),
]
OF_PROFILE: Levels = [
    ("command line", {"profile": "work"}, "work"),
    ("environment", {"MODELTUI_PROFILE": "home"}, "home"),
    ("CONFIG", {"config": "profile = 'road'"}, "road"),
    ("SETTINGS", {"settings": "profile = 'bed'"}, "bed"),
    ("default", {}, None),
]


@pytest.mark.parametrize(
    ("key", "levels", "strongest"),
    [
        pytest.param(key, levels, place, id=f"{key} from {levels[place][0]}")
        for key, levels in (
            ("server", OF_SERVER),
            ("default_model", OF_DEFAULT_MODEL),
            ("downloads.retries", OF_RETRIES),
            ("servers.a.token_env", OF_TOKEN_ENV),
            ("profile", OF_PROFILE),
        )
        for place in range(len(levels))
    ],
)
def test_the_strongest_source_wins(
    read: Read, paths: Paths, key: str, levels: Levels, strongest: int
) -> None:
    files = {"config": [SERVERS], "settings": ["profiles.bed = {}"]}
    place_of_profiles = "settings" if levels is OF_RETRIES else "config"
    files[place_of_profiles] += [f"profiles.{name}.glyphs = 'ascii'" for name in ("work", "home", "road")]
    environ: dict[str, str] = {}
    typed = {} if key == "profile" else {"profile": "work"}
    for _, written, _ in levels[strongest:]:
        for place, text in written.items():
            if place in files:
                files[place].insert(0, text)
            elif place.isupper():
                environ[place] = text
            else:
                typed[place] = text
    config = read("\n".join(files["config"]), "\n".join(files["settings"]), environ, **typed)
    source, _, value = levels[strongest]
    source = source.replace("CONFIG", str(paths.config_file)).replace("SETTINGS", str(paths.settings_file))
    assert setting(config, key) == Setting(key, value, source)
    assert (config.problems, config.unknown) == ((), ())


def test_what_wins_is_what_is_used(read: Read) -> None:
    config = read("downloads.retries = 3\nprofiles.x.downloads.stall_s = 7", profile="x")
    assert (config.retries, config.stall_s, config.per_server) == (3, 7, 1)
    assert read(SERVERS, server="c").active.name == "c"


@pytest.mark.parametrize(
    ("typed", "variable", "written", "retries"),
    [
        ("a", "b", "c", 2),
        ("", "b", "c", 3),
        ("", "", "c", 4),
        ("", "", "", 10),
    ],
)
def test_a_profile_counts_only_when_it_is_chosen(
    read: Read, typed: str, variable: str, written: str, retries: int
) -> None:
    profiles = "\n".join(f"profiles.{name}.downloads.retries = {n}" for n, name in enumerate("abc", 2))
    chosen = f"profile = '{written}'\n" if written else ""
    assert read(chosen + profiles, "", {"MODELTUI_PROFILE": variable}, profile=typed).retries == retries


@pytest.mark.parametrize(
    ("environ", "typed"),
    [({}, {"profile": "night"}), ({"MODELTUI_PROFILE": "night"}, {}), ({"MODELTUI_PROFILE": "7"}, {})],
)
def test_a_profile_that_is_not_there(read: Read, environ: dict[str, str], typed: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match=r"no profile “(night|7)”"):
        read("profiles.work.glyphs = 'ascii'", "", environ, **typed)


@pytest.mark.parametrize(
    ("environ", "configured", "url", "source"),
    [
        ({}, None, LOCAL, "default"),
        ({"OLLAMA_HOST": "", "OLLAMA_BASE_URL": " "}, None, LOCAL, "default"),
        ({"OLLAMA_HOST": "one"}, None, "http://one:11434", "OLLAMA_HOST"),
        ({"OLLAMA_BASE_URL": "http://two:1/v"}, None, "http://two:1/v", "OLLAMA_BASE_URL"),
        ({"OLLAMA_HOST": "one", "OLLAMA_BASE_URL": "http://two:1"}, None, "http://one:11434", "OLLAMA_HOST"),
        ({"OLLAMA_HOST": "", "OLLAMA_BASE_URL": "http://two:1"}, None, "http://two:1", "OLLAMA_BASE_URL"),
        ({"OLLAMA_HOST": "0.0.0.0:99"}, None, "http://127.0.0.1:99", "OLLAMA_HOST"),
        ({}, "three", "http://three:11434", "CONFIG"),
        ({"OLLAMA_HOST": "one"}, "three", "http://one:11434", "OLLAMA_HOST"),
        ({"OLLAMA_BASE_URL": "http://two:1"}, "three", "http://two:1", "OLLAMA_BASE_URL"),
    ],
)
def test_where_local_is(
    read: Read, paths: Paths, environ: dict[str, str], configured: str | None, url: str, source: str
) -> None:
    config = read(f"servers.local.url = '{configured}'" if configured else "", "", environ)
    (local,) = config.servers
    assert (local.name, local.endpoint.url) == ("local", url)
    shown = setting(config, "servers.local.url")
    assert shown.source == source.replace("CONFIG", str(paths.config_file))
    assert shown.value == (configured if source == "CONFIG" else url)


def test_what_else_is_configured_of_local_counts_with_ollama_host(read: Read) -> None:
    config = read("[servers.local]\nurl = 'here'\ntoken_env = 'T'", "", {"OLLAMA_HOST": "there"})
    assert (config.active.endpoint.host, config.active.token_env) == ("there", "T")


def test_a_server_is_put_together_from_all_sources(read: Read) -> None:
    config = read(
        "servers.gpubox.url = 'gpubox'",
        "servers.gpubox.local = false",
        {"MODELTUI_SERVERS__GPUBOX__TOKEN_ENV": "T", "MODELTUI_SERVERS__OTHER__URL": "http://other"},
    )
    gpubox = next(server for server in config.servers if server.name == "gpubox")
    assert (gpubox.endpoint.host, gpubox.local, gpubox.token_env) == ("gpubox", False, "T")
    assert [server.name for server in config.servers] == ["gpubox", "other", "local"]


def test_nothing_is_configured(tmp_path: Path) -> None:
    config = load(paths_under(tmp_path / "missing"), {"HOME": "/root", "PATH": "/bin"})
    assert [server.name for server in config.servers] == ["local"]
    assert config.active.endpoint.url == LOCAL
    assert {setting.source for setting in config.settings} == {"default"}
    assert {setting.key for setting in config.settings} == {*KEYS, "servers.local.url"}
    assert (config.problems, config.unknown) == ((), ())


# --- the environment --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variable", "written", "field", "value"),
    [
        ("MODELTUI_DOWNLOADS__PER_SERVER", "3", "per_server", 3),
        ("MODELTUI_CURRENT__AUTO_PULL", "true", "auto_pull", True),
        ("MODELTUI_REGISTRY__LOOKUP", "false", "lookup", False),
        ("MODELTUI_GLYPHS", "ascii", "glyphs", "ascii"),
        ("MODELTUI_CURRENT__ALIAS", "now:latest", "alias", "now:latest"),
        ("MODELTUI_GLYPHS", "", "glyphs", "auto"),
        ("DEFAULT_MODEL", "7", "default_model", "7"),
        ("DEFAULT_MODEL", "", "default_model", None),
    ],
)
def test_a_variable(read: Read, variable: str, written: str, field: str, value: object) -> None:
    config = read(environ={variable: written})
    assert getattr(config, field) == value
    assert (config.problems, config.unknown) == ((), ())


def test_variables_that_are_no_settings(read: Read) -> None:
    places = {f"MODELTUI_{name}_DIR": "/somewhere" for name in ("CONFIG", "STATE", "CACHE")}
    assert read(environ=places).unknown == ()


def test_what_a_hook_is_told_is_no_setting(read: Read) -> None:
    """A hook may run modeltui: decisions.md gives it these variables."""
    told = {"MODELTUI_CURRENT": "phi4", "MODELTUI_PREVIOUS": "qwen3", "MODELTUI_SERVER": "http://gpubox:1"}
    config = read("servers.gpubox.url = 'http://gpubox:1'", "", {**told, "MODELTUI_CURRENT__ALIAS": "now"})
    assert (config.active.name, config.alias) == ("gpubox", "now")
    assert (config.problems, config.unknown) == ((), ())


# --- what a value may be ----------------------------------------------------------------------------

FIELDS = {
    "default_model": "default_model",
    "glyphs": "glyphs",
    "current.alias": "alias",
    "current.hook": "hook",
    "current.auto_pull": "auto_pull",
    "recommend.task": "recommend.task",
    "recommend.priority": "recommend.priority",
    "recommend.context": "recommend.context",
    "recommend.min_tokens_per_s": "recommend.min_tokens_per_s",
    "downloads.per_server": "per_server",
    "downloads.detached": "detached",
    "downloads.retries": "retries",
    "downloads.stall_s": "stall_s",
    "registry.lookup": "lookup",
    "updates.auto": "update_auto",
    "updates.window": "update_window",
    "theme": "screens.theme",
    "animations": "screens.animations",
    "poll.models_s": "screens.models_s",
    "poll.running_s": "screens.running_s",
    "poll.health_s": "screens.health_s",
    "keys": "screens.keys",
    "tui.columns": "screens.columns",
}
ALLOWED: dict[str, dict[str, object]] = {
    "default_model": {'"llama3.2"': "llama3.2"},
    "glyphs": {f'"{word}"': word for word in ("auto", "unicode", "ascii")},
    "current.alias": {'"current"': "current"},
    "current.hook": {'"echo hi"': "echo hi", '["echo", "", "hi"]': ("echo", "", "hi")},
    "current.auto_pull": {"true": True, "false": False},
    "recommend.task": {f'"{task.value}"': task.value for task in Task},
    "recommend.priority": {f'"{priority.value}"': priority.value for priority in Priority},
    "recommend.context": {'"16k"': 16_384, "4096": 4096, '"1m"': 1024**2},
    "recommend.min_tokens_per_s": {"0": 0.0, "2.5": 2.5, "10000": 10_000.0},
    "downloads.per_server": {"1": 1, "4": 4},
    "downloads.detached": {"true": True, "false": False},
    "downloads.retries": {"1": 1, "1000": 1000},
    "downloads.stall_s": {"0": 0, "86400": 86400},
    "registry.lookup": {"true": True, "false": False},
    "updates.auto": {f'"{word}"': word for word in ("off", "check", "pull")},
    "updates.window": {'"02:00-05:00"': "02:00-05:00", '"23:59 - 00:00"': "23:59-00:00"},
    "theme": {'"nord"': "nord"},
    "animations": {"true": True, "false": False},
    "poll.models_s": {"0.5": 0.5, "3600": 3600.0},
    "poll.running_s": {"2": 2.0},
    "poll.health_s": {"30.0": 30.0},
    "keys": {"{}": {}, '{ switch = "S" }': {"switch": "S"}},
    "tui.columns": {"{}": {}, '{ models = ["name", "size"] }': {"models": ("name", "size")}},
}
NO_TEXT = ['""', '"  "', "7", "true", "[]", "{}", "1979-05-27"]
NO_TRUTH = ["1", "0", '"true"', '"yes"', "[]", "{}"]
NO_NUMBER = ["1.0", '"1"', "true", "[1]", "{}", "nan"]
NO_SECONDS = ["0.4", "3601", "-1", '"5"', "true", "[1]", "nan"]
NO_COMMAND = ['""', '" "', "[]", "7", '["echo", 7]', "{ run = 'x' }", "true"]
REFUSED: dict[str, list[str]] = {
    "default_model": NO_TEXT,
    "glyphs": ['"emoji"', '"ASCII"', '["ascii"]', *NO_TEXT],
    "current.alias": NO_TEXT,
    "current.hook": NO_COMMAND,
    "current.auto_pull": NO_TRUTH,
    "recommend.task": ['"cooking"', '"Coding"', *NO_TEXT],
    "recommend.priority": ['"fast"', *NO_TEXT],
    "recommend.context": ["0", '"0k"', "-1", '"16q"', '"9999m"', "1.5", "true", '""'],
    "recommend.min_tokens_per_s": ["-1", "10001", "nan", "inf", '"5"', "true"],
    "downloads.per_server": ["0", "5", "-1", *NO_NUMBER],
    "downloads.detached": NO_TRUTH,
    "downloads.retries": ["0", "1001", *NO_NUMBER],
    "downloads.stall_s": ["-1", "86401", *NO_NUMBER],
    "registry.lookup": NO_TRUTH,
    "updates.auto": ['"on"', "false", *NO_TEXT],
    "updates.window": [
        *(f'"{text}"' for text in ("2:00-5:00", "02:00", "24:00-05:00", "02:60-05:00", "03:00-03:00")),
        *NO_TEXT,
    ],
    "theme": NO_TEXT,
    "animations": NO_TRUTH,
    "poll.models_s": NO_SECONDS,
    "poll.running_s": NO_SECONDS,
    "poll.health_s": NO_SECONDS,
    "keys": ["1", '"x"', "[]", "{ switch = 1 }", '{ switch = "" }'],
    "tui.columns": ["1", "[]", "{ models = 1 }", "{ models = [] }", "{ models = [1] }"],
}


def test_every_key_is_looked_at_here() -> None:
    assert set(FIELDS) == set(ALLOWED) == set(REFUSED) == set(KEYS) - {"server", "profile"}
    assert set(ALLOWED_OF_SERVER) == set(REFUSED_OF_SERVER) == set(SERVER_KEYS)


@pytest.mark.parametrize(
    ("key", "written", "value"),
    [(key, written, value) for key, values in ALLOWED.items() for written, value in values.items()],
)
def test_an_allowed_value(read: Read, paths: Paths, key: str, written: str, value: object) -> None:
    config = read(f"{key} = {written}")
    found = attrgetter(FIELDS[key])(config)
    assert found == value
    assert type(found) is type(value)
    assert setting(config, key) == Setting(key, value, str(paths.config_file))
    assert config.problems == ()


@pytest.mark.parametrize(
    ("key", "written"), [(key, written) for key, values in REFUSED.items() for written in values]
)
def test_a_value_that_is_not_allowed(read: Read, paths: Paths, key: str, written: str) -> None:
    """It is a problem that names file, key and what is allowed; the default counts, the rest is read."""
    config = read(f"{key} = {written}\nservers.gpubox.url = 'gpubox'", "profile = 'x'\nprofiles.x = {}")
    (problem,) = config.problems
    assert problem.startswith(f"{paths.config_file}: {key} must be {KEYS[key].allowed}")
    assert attrgetter(FIELDS[key])(config) == KEYS[key].default
    assert setting(config, key).source == "default"
    assert config.active.name == "gpubox"
    assert config.unknown == ()


def test_behind_a_value_that_is_not_allowed_the_next_source_counts(read: Read, paths: Paths) -> None:
    config = read("glyphs = 'ascii'", "", {"MODELTUI_GLYPHS": "emoji"})
    assert setting(config, "glyphs") == Setting("glyphs", "ascii", str(paths.config_file))
    (problem,) = config.problems
    assert problem.startswith("environment: glyphs must be auto, unicode or ascii")


@pytest.mark.parametrize("written", NO_TEXT)
def test_a_server_that_cannot_be_told_is_an_error(read: Read, paths: Paths, written: str) -> None:
    """To go on with another server would be worse."""
    with pytest.raises(ConfigError) as caught:
        read(f"server = {written}")
    assert caught.value.message.startswith(f"{paths.config_file}: server must be ")


URL = "url = 'gpubox'"
ALLOWED_OF_SERVER: dict[str, dict[str, object]] = {
    "url": {"'gpubox'": "http://gpubox:11434", "'https://gpubox/x/'": "https://gpubox:443/x"},
    "headers": {"{}": {}, "{ Host = 'localhost', X-Key_2 = '' }": {"Host": "localhost", "X-Key_2": ""}},
    "token_env": {"'TOKEN'": "TOKEN"},
    "token_command": {"'pass show x'": "pass show x", "['pass', 'show']": ("pass", "show")},
    "ca_file": {"'/etc/ca.pem'": Path("/etc/ca.pem"), "'~/ca.pem'": Path.home() / "ca.pem"},
    "client_cert": {"'/me.pem'": Path("/me.pem")},
    "local": {"true": True, "false": False},
    "ssh": {"'me@gpubox'": "me@gpubox", "'gpubox.lan'": "gpubox.lan", "'me@[::1]'": "me@[::1]"},
    "num_parallel": {"1": 1, "256": 256},
    "kv_cache_type": {f"'{word}'": word for word in ("f16", "q8_0", "q4_0")},
    "flash_attention": {"true": True, "false": False},
    "max_loaded": {"0": 0, "256": 256},
    "gpu_overhead": {"0": 0, "'0.5GB'": 1 << 29, "'512MB'": 1 << 29, "2": 2 << 30},
}
REFUSED_OF_SERVER: dict[str, list[str]] = {
    "url": [*NO_TEXT, "'ftp://gpubox'", "'http://a b'", "'http://gpubox?x=1'"],
    "headers": [
        *("'Host: x'", "['Host']", "{ Host = 1 }", "{ Host = ['x'] }", "{ '' = 'x' }"),
        *("{ X = 'größer' }", "{ 'Größe' = 'x' }", "{ X = 'a\tb' }", '{ X = "a\\r\\nY: b" }'),
        *("{ 'X Y' = 'x' }", "{ 'X:' = 'x' }", '{ "X\\r\\nY" = "x" }'),
    ],
    "token_env": NO_TEXT,
    "token_command": NO_COMMAND,
    "ca_file": [*NO_TEXT, "'~nobody-of-that-name/ca.pem'"],
    "client_cert": [*NO_TEXT, "'me.pem'"],
    "local": NO_TRUTH,
    "ssh": [*NO_TEXT, "'-oProxyCommand=x'", "'me@gpubox ls'", "'me@gpu\\nbox'", "'a;b'"],
    "num_parallel": ["0", "257", "-1", *NO_NUMBER],
    "kv_cache_type": ["'q5_0'", "'F16'", *NO_TEXT],
    "flash_attention": NO_TRUTH,
    "max_loaded": ["-1", "257", *NO_NUMBER],
    "gpu_overhead": ["-1", "'-1GB'", "1e9", "536870912", "nan", "inf", "'much'", "true", "[]", "{}"],
}


@pytest.mark.parametrize(
    ("key", "written", "value"),
    [(key, written, value) for key, values in ALLOWED_OF_SERVER.items() for written, value in values.items()],
)
def test_an_allowed_value_of_a_server(read: Read, key: str, written: str, value: object) -> None:
    config = read(f"[servers.gpubox]\n{'' if key == 'url' else URL}\n{key} = {written}")
    assert config.active.name == "gpubox"
    assert (config.active.endpoint.url if key == "url" else getattr(config.active, key)) == value
    assert (config.problems, config.unknown) == ((), ())


@pytest.mark.parametrize(
    ("key", "written"), [(key, written) for key, values in REFUSED_OF_SERVER.items() for written in values]
)
def test_a_value_of_a_server_that_is_not_allowed(read: Read, key: str, written: str) -> None:
    """It is an error: a server without what was meant to reach it may be another one."""
    with pytest.raises(ConfigError, match=rf"servers\.gpubox\.{key}\b"):
        read(f"[servers.gpubox]\n{'' if key == 'url' else URL}\n{key} = {written}")


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("servers.gpubox = {}", "servers.gpubox has no url"),
        ("servers.gpubox.local = true", "servers.gpubox has no url"),
        ("servers = 'gpubox'", "servers must be a table"),
        ("servers.gpubox = 'http://gpubox'", "servers.gpubox must be a table"),
        ("registries = ['x']", "registries must be a table"),
    ],
)
def test_a_server_that_is_none(read: Read, written: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        read(written)


def test_registries(read: Read, paths: Paths) -> None:
    config = read(
        """
        [registries."Registry.lan:5000"]
        insecure = true
        base_url = "http://127.0.0.1:5000"
        [registries.bad]
        insecure = "yes"
        base_url = "127.0.0.1"
        [registries."near:5000"]
        insecure = true
        [registries.empty]
        """
    )
    assert set(REGISTRY_KEYS) == {"insecure", "base_url"}
    lan = config.registry("registry.LAN:5000")
    assert (lan.insecure, lan.base_url) == (True, "http://127.0.0.1:5000")
    assert lan.url("registry.lan:5000") == "http://127.0.0.1:5000"
    assert config.registry("near:5000").url("near:5000") == "http://near:5000"
    for host in ("bad", "empty", "unheard.of"):
        assert (config.registry(host).insecure, config.registry(host).base_url) == (False, None)
        assert config.registry(host).url(host) == f"https://{host}"
    insecure, base_url = config.problems
    assert insecure.startswith(f"{paths.config_file}: registries.bad.insecure must be true or false")
    assert base_url.startswith(f"{paths.config_file}: registries.bad.base_url must be an address")
    assert config.unknown == ()


GRAVE = {"current.hook": "['echo']", "registries.'lan:5000'.insecure": "true"}


@pytest.mark.parametrize("key", GRAVE)
@pytest.mark.parametrize("place", ["config", "profile of config", "settings", "profile of settings"])
def test_what_is_run_or_trusted_comes_from_config_toml_alone(
    read: Read, paths: Paths, key: str, place: str
) -> None:
    line = f"profiles.x.{key} = {GRAVE[key]}" if "profile" in place else f"{key} = {GRAVE[key]}"
    in_config = place.endswith("config")
    config = read(
        line if in_config else "", "" if in_config else line, profile="x" if "profile" in place else ""
    )
    counts = (config.hook is not None) or config.registry("lan:5000").insecure
    assert counts == in_config
    assert len(config.problems) == (0 if in_config else 1)
    for problem in config.problems:
        assert str(paths.settings_file) in problem
        assert key.replace("'", "") in problem


def test_a_hook_from_the_environment_is_none(read: Read) -> None:
    config = read(environ={"MODELTUI_CURRENT__HOOK": "echo"})
    assert config.hook is None
    (problem,) = config.problems
    assert problem.startswith("environment: current.hook ")


# --- keys nobody knows ------------------------------------------------------------------------------


def test_unknown_keys_are_named_once_each(read: Read, paths: Paths) -> None:
    config = read(
        """
        colour = "red"
        current = 5
        downloads.fast = true
        downloads.retries = 3
        servers.gpubox = { url = "gpubox", color = 1, colors = { a = 1 } }
        registries.lan = { secure = true }
        profiles.work = { glyph = "ascii", downloads = { fast = true } }
        profiles.home = 7
        """,
        "colour = 'blue'",
        {"MODELTUI_DOWNLOADS__FASTER": "1", "MODELTUI_COLOUR": "red"},
        profile="work",
    )
    in_config = [
        *("colour", "current", "downloads.fast", "servers.gpubox.color", "servers.gpubox.colors.a"),
        *("registries.lan.secure", "profiles.work.glyph", "profiles.work.downloads.fast", "profiles.home"),
    ]
    assert config.unknown == (
        "colour (environment)",
        "downloads.faster (environment)",
        *(f"{key} ({paths.config_file})" for key in in_config),
        f"colour ({paths.settings_file})",
    )
    assert (config.problems, config.retries, config.active.name) == ((), 3, "gpubox")


EVERY_KEY = """
server = "gpubox"
theme = "nord"
glyphs = "ascii"
animations = false
default_model = "phi4"
profile = "work"
[servers.gpubox]
url = "gpubox"
headers = { Host = "localhost" }
token_env = "T"
token_command = "pass"
ca_file = "/ca.pem"
client_cert = "/me.pem"
ssh = "me@gpubox"
local = false
num_parallel = 4
kv_cache_type = "q8_0"
flash_attention = true
max_loaded = 2
gpu_overhead = 0
[servers.gpubox.hardware]
gpus = ["24GB"]
[current]
alias = "current"
hook = "true"
auto_pull = true
auto_select = true
[downloads]
per_server = 2
detached = false
stall_s = 30
retries = 5
[registry]
lookup = false
[registries."lan:5000"]
insecure = true
base_url = "http://127.0.0.1:5000"
[poll]
models_s = 5
running_s = 2
health_s = 30
[recommend]
task = "coding"
priority = "speed"
context = "8k"
min_tokens_per_s = 5
[updates]
auto = "pull"
window = "02:00-04:00"
[tui.columns]
models = ["name"]
[keys]
quit = "Q"
"""


def test_the_keys_of_all_parts_are_known(read: Read) -> None:
    """All of decisions.md, those of later parts, too."""
    everything = tomllib.loads(EVERY_KEY)
    in_profile = re.sub(r"^\[", "[profiles.work.", EVERY_KEY, flags=re.MULTILINE)
    config = read(f"{EVERY_KEY}[profiles.work]\n{in_profile}")
    assert len(everything) > 10
    assert (config.problems, config.unknown) == ((), ())
    assert config.retries == 5


@pytest.mark.parametrize("table", ["current", "downloads", "registry", "servers", "registries", "profiles"])
def test_a_table_without_keys_is_no_mistake(read: Read, table: str) -> None:
    assert read(f"[{table}]").unknown == ()


# --- files that cannot be read ----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["config.toml", "settings.toml"])
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"server = 'a'\n\nglyphs = = 1\n", "line 3"),
        (b"[servers.a]\nurl = 'x'\n[servers.a]\n", "line 3"),
        (b"glyphs = 'ascii'\n\nglyphs = 'auto'\n", "line 3"),
        (b"a\x1b[2J = 1", "line 1"),
        (b"glyphs = '\xff'", "utf-8"),
        ("glyphs = 'ascii'".encode("utf-16"), "utf-8"),
        (b"glyphs = " + b"[" * 100_000, "recursion"),
    ],
)
def test_a_file_that_is_no_toml(paths: Paths, name: str, content: bytes, words: str) -> None:
    (paths.config / name).write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load(paths, {})
    assert caught.value.message.startswith(f"{paths.config / name} is no TOML: ")
    assert words in caught.value.message
    assert caught.value.message.isprintable()


def test_a_mark_of_byte_order_does_no_harm(paths: Paths) -> None:
    """Editors on Windows begin a file with one."""
    (paths.config / "config.toml").write_bytes(b"\xef\xbb\xbfglyphs = 'ascii'\r\n")
    assert load(paths, {}).glyphs == "ascii"


@pytest.mark.parametrize("name", ["config.toml", "settings.toml"])
@pytest.mark.parametrize("harm", [Path.mkdir, lambda path: path.symlink_to(path)], ids=["directory", "loop"])
def test_a_file_that_cannot_be_read(paths: Paths, name: str, harm: Callable[[Path], Any]) -> None:
    """Rights would not stop root; these stop everyone."""
    harm(paths.config / name)
    with pytest.raises(ConfigError) as caught:
        load(paths, {})
    assert caught.value.message.startswith(f"{paths.config / name} cannot be read: ")


def test_a_file_where_the_directory_should_be(paths: Paths) -> None:
    paths.config.rmdir()
    paths.config.write_text("")
    with pytest.raises(ConfigError, match=r"config\.toml cannot be read: Not a directory"):
        load(paths, {})


# --- servers ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "url"),
    [
        ("gpubox", "gpubox", "http://gpubox:11434"),
        ("gpubox", "http://GPUbox:11434/", "http://gpubox:11434"),
        ("0.0.0.0", "127.0.0.1:11434", LOCAL),
        ("https://gpubox/ollama/", "https://gpubox:443/ollama", "https://gpubox:443/ollama"),
        ("[::]:1", "http://[0:0:0:0:0:0:0:1]:1", "http://[::1]:1"),
    ],
)
def test_two_names_of_one_server_are_an_error_that_names_both(
    read: Read, one: str, other: str, url: str
) -> None:
    for config, settings in (
        (f"servers.first.url = '{one}'\nservers.second.url = '{other}'", ""),
        (f"servers.first.url = '{one}'", f"servers.second.url = '{other}'"),
    ):
        with pytest.raises(ConfigError) as caught:
            read(config, settings)
        assert {"servers.first", "servers.second", url} <= set(re.split(r"[ ]", caught.value.message))


def test_servers_that_differ_somewhere(read: Read) -> None:
    urls = ["http://a:1", "http://a:2", "https://a:1", "http://a:1/x", "http://b:1"]
    config = read("\n".join(f"servers.s{n}.url = '{url}'" for n, url in enumerate(urls)))
    assert [server.endpoint.url for server in config.servers] == [*urls, LOCAL]


TWO = "[servers.gpubox]\nurl = 'gpubox:1'\n[servers.cellar]\nurl = 'cellar'\n"
HERE = "[servers.here]\nurl = '127.0.0.1'\n"


@pytest.mark.parametrize(
    ("config", "environ", "typed", "name", "url"),
    [
        pytest.param(TWO, {}, "cellar", "cellar", "http://cellar:11434", id="--server names it"),
        pytest.param(TWO, {}, "http://GPUBOX:1/", "gpubox", "http://gpubox:1", id="--server, its address"),
        pytest.param(TWO, {}, "gpubox:2", "http://gpubox:2", "http://gpubox:2", id="--server, another one"),
        pytest.param(TWO, {}, "localhost", *["http://localhost:11434"] * 2, id="--server, without a dot"),
        pytest.param(
            f"server = 'gpubox'\n{TWO}",
            {"MODELTUI_SERVER": "gpubox", "OLLAMA_HOST": "gpubox:1"},
            *("cellar", "cellar", "http://cellar:11434"),
            id="--server over all",
        ),
        pytest.param(
            f"server = 'gpubox'\n{TWO}",
            {"MODELTUI_SERVER": "cellar", "OLLAMA_HOST": "gpubox:1"},
            *(None, "cellar", "http://cellar:11434"),
            id="MODELTUI_SERVER over server and OLLAMA_HOST",
        ),
        pytest.param(
            f"server = 'cellar'\n{TWO}",
            {"OLLAMA_HOST": "gpubox:1"},
            *(None, "cellar", "http://cellar:11434"),
            id="server over OLLAMA_HOST",
        ),
        pytest.param(
            f"server = 'cellar:9'\n{TWO}", {}, None, "http://cellar:9", "http://cellar:9", id="address"
        ),
        pytest.param(
            f"server = 'local'\n{TWO}", {}, None, "local", LOCAL, id="local, which is there unconfigured"
        ),
        pytest.param(
            TWO, {"OLLAMA_HOST": "else"}, None, "local", "http://else:11434", id="OLLAMA_HOST over the first"
        ),
        pytest.param(
            TWO, {"OLLAMA_BASE_URL": "http://else"}, None, "local", "http://else:80", id="OLLAMA_BASE_URL"
        ),
        pytest.param(
            f"{TWO}{HERE}",
            {"OLLAMA_HOST": "0.0.0.0"},
            *(None, "here", LOCAL),
            id="OLLAMA_HOST is a server that has a name",
        ),
        pytest.param(TWO, {}, None, "gpubox", "http://gpubox:1", id="the first configured"),
        pytest.param(HERE, {}, None, "here", LOCAL, id="the only one, which is local"),
        pytest.param("", {}, None, "local", LOCAL, id="local"),
        pytest.param("", {"OLLAMA_HOST": "else"}, None, "local", "http://else:11434", id="local elsewhere"),
    ],
)
def test_which_server_is_active(
    read: Read, config: str, environ: dict[str, str], typed: str | None, name: str, url: str
) -> None:
    active = read(config, "", environ, **({} if typed is None else {"server": typed})).active
    assert (active.name, active.endpoint.url) == (name, url)


def test_one_server_has_one_name(read: Read) -> None:
    """`local` is not there a second time under its own name."""
    assert [server.name for server in read(HERE).servers] == ["here"]
    assert [server.name for server in read(TWO).servers] == ["gpubox", "cellar", "local"]


def test_what_is_configured_of_a_server_counts_when_its_address_is_typed(read: Read) -> None:
    assert read(f"{HERE}token_env = 'T'", server="127.0.0.1:11434").active.token_env == "T"


@pytest.mark.parametrize(
    ("written", "environ", "typed", "kind"),
    [
        ("", {}, {"server": "gpubx"}, NoSuchServer),
        ("server = 'gpubx'", {}, {}, ConfigError),
        ("", {"MODELTUI_SERVER": "gpubx"}, {}, ConfigError),
    ],
)
def test_a_server_that_is_not_configured(
    read: Read, written: str, environ: dict[str, str], typed: dict[str, str], kind: type[ModeltuiError]
) -> None:
    with pytest.raises(kind, match="no server named “gpubx”") as caught:
        read(f"{written}\n{TWO}", "", environ, **typed)
    assert caught.value.remedy is not None
    assert "gpubox, cellar, local" in caught.value.remedy


@pytest.mark.parametrize("typed", ["", "  ", "ftp://gpubox", "http://a b"])
def test_a_server_that_is_typed_as_none(read: Read, typed: str) -> None:
    """`--server "$UNSET"` must not mean another server."""
    with pytest.raises((UsageError, ConfigError, NoSuchServer)):
        read(TWO, server=typed)


@pytest.mark.parametrize("variable", ["OLLAMA_HOST", "OLLAMA_BASE_URL"])
@pytest.mark.parametrize("written", ["", "servers.local.url = 'here'"])
def test_an_address_in_the_environment_that_is_none(read: Read, variable: str, written: str) -> None:
    with pytest.raises(ConfigError, match=f"^{variable}: "):
        read(written, "", {variable: "ftp://gpubox"})


# --- secrets ----------------------------------------------------------------------------------------

WITH_USER_INFO = ["http://bob:hunter2@gpubox", "bob:hunter2@gpubox:11434", "https://hunter2@gpubox/x"]


@pytest.mark.parametrize("url", WITH_USER_INFO)
@pytest.mark.parametrize(
    "place", ["servers.x.url", "server", "MODELTUI_SERVER", "OLLAMA_HOST", "OLLAMA_BASE_URL", "--server"]
)
def test_a_secret_in_an_address_is_refused_and_not_shown(read: Read, place: str, url: str) -> None:
    with pytest.raises((ConfigError, UsageError)) as caught:
        if place == "--server":
            read(TWO, server=url)
        elif place.isupper():
            read("", "", {place: url})
        else:
            read(f"{place} = '{url}'")
    shown = f"{caught.value.message} {caught.value.remedy}"
    assert "user" in shown
    assert "hunter2" not in shown
    assert "bob" not in shown


def test_a_secret_in_a_registry_s_address_is_refused_and_not_shown(read: Read) -> None:
    config = read("registries.lan.base_url = 'https://bob:hunter2@lan'")
    assert config.registry("lan").base_url is None
    assert "hunter2" not in f"{config!r}"
    assert len(config.problems) == 1


@pytest.mark.parametrize("command", ["'echo hunter2'", "['echo', 'hunter2']"])
@pytest.mark.parametrize("chosen", [{}, {"server": "gpubox"}])
def test_no_secret_is_shown(read: Read, command: str, chosen: dict[str, str]) -> None:
    config = read(
        f"""
        [servers.gpubox]
        url = "gpubox"
        headers = {{ X-Key = "hunter2", Host = "hunter2.lan" }}
        token_command = {command}
        """,
        "",
        {
            "MODELTUI_SERVERS__CELLAR__URL": "cellar",
            "MODELTUI_SERVERS__CELLAR__TOKEN_COMMAND": "echo hunter2",
        },
        **chosen,
    )
    assert config.active.headers == {"X-Key": "hunter2", "Host": "hunter2.lan"}
    assert config.active.token_command in ("echo hunter2", ("echo", "hunter2"))
    assert setting(config, "servers.gpubox.headers").value == {"X-Key": "***", "Host": "***"}
    assert setting(config, "servers.gpubox.token_command").value == "***"
    assert setting(config, "servers.cellar.token_command").value == "***"
    assert "hunter2" not in f"{config!r} {config.settings!r} {config.active!r} {config.servers!r}"


@pytest.mark.parametrize("line", ["headers = { X = 'hunter2ä' }", "token_command = ['hunter2', 1]"])
def test_no_secret_is_shown_of_what_is_refused(read: Read, line: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(f"[servers.gpubox]\n{URL}\n{line}")
    assert "hunter2" not in f"{caught.value.message} {caught.value.remedy}"


@pytest.mark.parametrize("hook", ["'curl https://bob:hunter2@x'", "['curl', 'https://bob:hunter2@x']"])
def test_an_address_in_a_hook_is_shown_without_its_secret(read: Read, hook: str) -> None:
    shown = setting(read(f"current.hook = {hook}"), "current.hook").value
    assert "https://***@x" in f"{shown}"
    assert "hunter2" not in f"{shown}"


# --- the template -----------------------------------------------------------------------------------

_HEADING = r"\[.+\]"
_VALUE = r"[a-z_]+ = .*"


def uncommented(pattern: str) -> str:
    """The template with the comment marks taken away from the lines that match."""
    return re.sub(rf"^# (?=(?:{pattern})$)", "", TEMPLATE, flags=re.MULTILINE)


def test_the_template_sets_nothing(read: Read) -> None:
    assert tomllib.loads(TEMPLATE) == {}
    assert read(TEMPLATE) == read("")


def test_the_template_is_right_in_every_line(read: Read, paths: Paths) -> None:
    config = read(uncommented(f"{_HEADING}|{_VALUE}"), server="gpubox")
    assert (config.problems, config.unknown) == ((), ())
    shown = {setting.key for setting in config.settings if setting.source == str(paths.config_file)}
    assert shown == {
        *(set(KEYS) - {"profile", "server"}),
        *(f"servers.gpubox.{key}" for key in SERVER_KEYS),
        *(f"servers.gpubox.hardware.{key}" for key in HARDWARE_KEYS),
        *(f"registries.registry.lan:5000.{key}" for key in REGISTRY_KEYS),
    }


def test_the_template_s_headings_alone_set_nothing(read: Read) -> None:
    headings = [line for line in uncommented(_HEADING).splitlines() if line.startswith("[")]
    assert len(headings) == 11
    others = [heading for heading in headings if not heading.startswith("[servers.")]
    assert read("\n".join(others)).unknown == ()


def test_the_template_shows_the_defaults(read: Read) -> None:
    config = read(uncommented(f"{_HEADING}|{_VALUE}"), server="gpubox")
    for key in ("glyphs", "current.auto_pull", "downloads.per_server", "downloads.retries"):
        assert setting(config, key).value == KEYS[key].default
    for key in ("downloads.stall_s", "registry.lookup"):
        assert setting(config, key).value == KEYS[key].default
