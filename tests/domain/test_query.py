"""The filter finds what its words say, whatever is typed, and tells truly when it only grows narrower."""

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from modeltui.domain.query import GIB, WORDS, Query, Standing, Subject, narrows, parse, select

GB = 10**9
CODER = Subject(
    "qwen2.5-coder:7b qwen2 q4_k_m 7.6b",
    4_700_000_000,
    frozenset({"completion", "tools", "insert", "code", "type:code", "loaded", "split", "q4_k_m"}),
    prose="writes programs, and reads them; supervision of tools for vision is none of its",
    license="apache 2.0",
    parameters=7_615_616_512,
    needs=int(5.6 * GIB),
)
LLAVA = Subject(
    "llava:13b llama q4_0 13b",
    8 * GB,
    frozenset(
        {"completion", "vision", "type:vision", "purpose:balanced", "current", "q4_0", "fits", "fit:gpu"}
    ),
    license="llama 2 community license",
    parameters=13_015_864_320,
    needs=8 * GIB,
)
CLOUD = Subject("gpt-oss:120b-cloud gptoss mxfp4", None, frozenset({"cloud", "general", "type:general"}))
ALL = {"coder": CODER, "llava": LLAVA, "cloud": CLOUD}


def found(text: str) -> str:
    query = parse(text)
    return " ".join(name for name, subject in ALL.items() if query.matches(subject))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", "coder llava cloud"),
        ("  \t ", "coder llava cloud"),
        ("qwen", "coder"),
        ("QWEN", "coder"),
        ("ll", "llava"),
        ("7b", "coder"),
        (":", "coder llava cloud"),
        ("q4", "coder llava"),
        ("q4_k_m", "coder"),
        ("nothing-like-it", ""),
        ("loaded", "coder"),
        ("Loaded", "coder"),
        ("load", ""),
        ("current", "llava"),
        ("vision", "llava"),
        ("completion", "coder llava"),
        ("cloud", "cloud"),
        ("code", "coder"),
        ("type:code", "coder"),
        ("type:Vision", "llava"),
        ("type:cod", ""),
        ("type:", "coder llava cloud"),
        ("purpose:balanced", "llava"),
        ("purpose:quality", ""),
        ("license:apache", "coder"),
        ("license:Community", "llava"),
        ("license:", "coder llava cloud"),
        ("license:llama license:2", "llava"),
        ("programs", "coder"),
        ("writes qwen2.5", "coder"),
        ("fits", "llava"),
        ("fit:gpu", "llava"),
        ("fit:no", ""),
        ("installed", ""),
        ("q4 7b", "coder"),
        ("7b q4", "coder"),
        ("loaded current", ""),
        ("vision <=8gb lla", "llava"),
    ],
)
def test_words(text: str, names: str) -> None:
    assert found(text) == names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("<8gb", "coder"),
        ("<8GB", "coder"),
        ("<8g", "coder"),
        ("<8", "coder"),
        ("<=8", "coder llava"),
        ("<8.1gb", "coder llava"),
        ("<4.7gb", ""),
        ("<=4.7gb", "coder"),
        (">=4.7gb", "coder llava"),
        (">4.7gb", "llava"),
        (">4gb <8gb", "coder"),
        (">4gb <4gb", ""),
        ("<4701mb", "coder"),
        ("<4701m", "coder"),
        ("<4700000kb", ""),
        ("<=4700000k", "coder"),
        ("<1tb", "coder llava"),
        ("<1t", "coder llava"),
        (">.5t", ""),
        (">8.", ""),
        (">=8.", "llava"),
        ("<" + "9" * 400, "coder llava"),
        (">" + "9" * 400, ""),
    ],
)
def test_sizes_are_decimal_and_an_unknown_one_never_matches(text: str, names: str) -> None:
    assert found(text) == names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (">7b", "coder llava"),
        (">7B", "coder llava"),
        (">=7.6b", "coder llava"),
        (">7.6b", "llava"),
        ("<=7.6b", "coder"),
        ("<8b", "coder"),
        (">13b", ""),  # 13.02 billion are shown as 13B
        ("<=13b", "coder llava"),
        ("<13b", "coder"),
        (">8b <=13b", "llava"),
        ("<8b <8gb", "coder"),
        (">13b <8gb", ""),
        ("<" + "9" * 400 + "b", "coder llava"),
    ],
)
def test_b_alone_counts_parameters_as_they_are_shown(text: str, names: str) -> None:
    assert found(text) == names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("vram<8", "coder"),
        ("vram<=8", "coder llava"),
        ("vram<8.1gb", "coder llava"),
        ("vram>=8GiB", "llava"),
        ("VRAM<6g", "coder"),
        ("vram<5.6", ""),
        ("vram>8", ""),
        ("vram<8 vram>5", "coder"),
    ],
)
def test_vram_is_nominal_as_cards_are_sold(text: str, names: str) -> None:
    assert found(text) == names


def test_what_changes_stands_beside_the_texts() -> None:
    subjects = [CODER, LLAVA, CLOUD]
    standings = [
        Standing(frozenset({"installed", "fits"}), 9 * GIB),
        Standing(frozenset({"fit:no"}), None),
        Standing(),
    ]
    for text, places in {
        "installed": [0],
        "fits": [0, 1],
        "fits loaded": [0],
        "fit:no": [1],
        "fit:gpu fit:no": [1],
        "vram>8": [0],
        "vram<=8": [1],
        "installed vision": [],
    }.items():
        assert select(parse(text), subjects, range(3), standings) == places, text


@pytest.mark.parametrize(
    ("text", "asks"),
    [("fits", True), ("vram<8", True), ("fit:gpu", True), ("vram", False), ("q4 <8gb >7b type:code", False)],
)
def test_what_needs_the_fit_to_be_known(text: str, asks: bool) -> None:
    assert parse(text).asks_for_fit is asks


@pytest.mark.parametrize(
    "text",
    [
        *("<", ">", "<=", ">=", "<.", "< >", "<gb", "type: <", "<b", ">.b"),
        *("vram", "vram<", "vram>=", "vram<.", "vram<gb", "purpose:", "license:", "fit:"),
    ],
)
def test_what_is_half_typed_asks_for_nothing_yet(text: str) -> None:
    assert parse(text) == Query()


@pytest.mark.parametrize(
    "text", ["<8xb", "<8 gb", "<8b8", "=8", "<-1", "<<8", "<1e3", "<٣gb", "8gb", "vrams", "vram<x", "vram8"]
)
def test_what_is_no_size_is_text(text: str) -> None:
    assert text.split()[-1] in parse(text).texts


def test_a_word_of_another_kind_is_searched_as_text() -> None:
    subject = Subject("gemma3:4b", GB, frozenset({"q4_k_m", "loaded"}))
    assert subject.haystack == "gemma3:4b q4_k_m"
    assert parse("q4_k_m").matches(subject) and parse("q4").matches(subject)
    assert not parse("load").matches(subject)


def test_a_state_is_none_for_being_in_a_name() -> None:
    assert not parse("installed").matches(Subject("installed:latest", GB, frozenset()))
    assert parse("vision").matches(Subject("llama3.2-vision:11b", GB, frozenset()))
    assert not parse("vision").matches(Subject("moon:1b", GB, frozenset(), prose="supervision"))


TERMS = st.one_of(
    st.sampled_from([*sorted(WORDS), "type:code", "type:", "type:vision", "q4_k_m", "fit:gpu", "ll", "l"]),
    st.from_regex(r"\A(vram)?[<>]=?[0-9]{0,3}\.?[0-9]?(kb|mb|gb|tb|[gmktb])?\Z"),
    st.sampled_from(["license:", "license:a", "license:apache", "purpose:speed"]),
    st.text("loadevisn:4<>=. ", max_size=4),
)
TYPED = st.lists(TERMS, max_size=4).map(" ".join)
SUBJECTS = st.lists(
    st.builds(
        Subject,
        haystack=st.lists(TERMS, max_size=3).map(" ".join),
        size=st.none() | st.integers(0, 2 * 10**12),
        words=st.frozensets(TERMS.filter(bool), max_size=4),
        prose=st.lists(TERMS, max_size=3).map(" ".join),
        license=st.sampled_from(["", "apache 2.0", "mit"]),
        parameters=st.none() | st.integers(0, 10**12),
        needs=st.none() | st.integers(0, 10**12),
    ),
    max_size=8,
)


@given(st.text())
@example("<" + "1" * 100_000 + "x")
@example("<" + "1" * 100_000 + "gb")
def test_any_text_is_a_query(text: str) -> None:
    query = parse(text)
    assert isinstance(query.matches(CODER), bool)
    assert narrows(query, query) and narrows(query, parse(""))


@given(TYPED, SUBJECTS)
def test_many_are_judged_as_one(text: str, subjects: list[Subject]) -> None:
    query = parse(text)
    places = [place for place, subject in enumerate(subjects) if query.matches(subject)]
    assert select(query, subjects, range(len(subjects))) == places
    assert select(query, subjects, reversed(range(len(subjects)))) == places[::-1]


@given(st.lists(TERMS, max_size=4), SUBJECTS)
def test_all_of_it_must_hold(terms: list[str], subjects: list[Subject]) -> None:
    for subject in subjects:
        each = all(parse(term).matches(subject) for term in terms)
        assert parse(" ".join(terms)).matches(subject) is each


@given(TERMS, SUBJECTS)
def test_a_word_that_a_subject_has_finds_it(term: str, subjects: list[Subject]) -> None:
    for subject in subjects:
        if term in subject.words and " " not in term and not term.startswith(("<", ">", "vram", "license:")):
            assert parse(term).matches(subject)


@given(TYPED, TYPED, SUBJECTS)
@example("load", "loaded", [CODER, LLAVA])
@example("co", "code", [CODER, LLAVA])
def test_a_narrower_query_finds_nothing_else(old_text: str, new_text: str, subjects: list[Subject]) -> None:
    for new, old in ((parse(new_text), parse(old_text)), (parse(old_text + new_text), parse(old_text))):
        if narrows(new, old):
            everything = range(len(subjects))
            before = select(old, subjects, everything)
            assert select(new, subjects, before) == select(new, subjects, everything)


@pytest.mark.parametrize(
    ("old", "new", "is_narrower"),
    [
        ("", "l", True),
        ("l", "ll", True),
        ("ll", "lla", True),
        ("ll", "ll 7b", True),
        ("ll 7b", "lla 7b", True),
        ("ll", "LLa", True),
        ("lla", "ll", False),
        ("ll", "", False),
        ("load", "loaded", False),
        ("code", "coder", False),  # which a description may say of what is none
        ("cod", "coder", True),
        ("coder", "code", False),
        ("loaded", "loaded ll", True),
        ("type:", "type:code", True),
        ("type:code", "type:vision", False),
        ("license:a", "license:apache", True),
        ("license:apache", "license:a", False),
        ("fits", "fits q4", True),
        ("fits q4", "q4", False),
        ("vram", "vram<8", True),
        ("vram<8", "vram<7", True),
        ("vram<8", "vram<9", False),
        ("<8b", "<8", False),
        ("<8b", "<7b", True),
        ("<", "<8", True),
        ("<8", "<8g", True),
        ("<8", "<8b", False),
        ("<8", "<80", False),
        (">8", ">80", True),
        ("<8", "<8 >4", True),
        ("<8", "<=7.9", True),
        ("<=8", "<8", True),
        ("<8", "<=8", False),
        ("<8", "ll", False),
        ("ll", "ll <8", True),
    ],
)
def test_narrower(old: str, new: str, is_narrower: bool) -> None:
    assert narrows(parse(new), parse(old)) is is_narrower


def test_a_keystroke_over_ten_thousand_rows_takes_little() -> None:
    """Measured about 0.6 ms; the bound leaves room for a machine that is busy and traced."""
    names = ("llama3.1", "qwen3", "gemma3", "hf.co/unsloth/qwen3-gguf", "mistral")
    subjects = [Subject(f"{names[n % 5]}-{n}:8b llama q4_k_m 8b", n, CODER.words) for n in range(10_000)]
    everything, query = range(len(subjects)), parse("llama3")
    taken = []
    for _ in range(5):
        began = time.process_time()
        matches = select(query, subjects, everything)
        taken.append(time.process_time() - began)
    assert len(matches) == 2_000
    assert min(taken) < 0.01
