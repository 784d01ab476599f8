"""One key of a file is changed, and nothing else in it."""

import random
import re
import tomllib
from difflib import SequenceMatcher
from pathlib import Path

import pytest
import tomlkit
from hypothesis import given, settings
from hypothesis import strategies as st

from server.brands.reference import FILES
from server.brands.writing import editing
from server.brands.writing.editing import NotEdited, edited
from server.brands.writing.values import meaning, written_value
from server.merchant.studio.declarations import controls
from server.merchant.studio.drafts import value_at
from tests.unit.brands.test_hostile_files import documents, keys, scalars

THEMES = Path(__file__).parents[4] / "themes"
TEXTS = {
    (brand, file): (THEMES / brand / file).read_text("utf-8")
    for brand in ("harbour", "orbit", "plain")
    for file in FILES
}
TEXTS["plain", "_start"] = (THEMES / "_start" / "theme.toml").read_text("utf-8")
CONTROLS = {file: controls(file, ("de", "fr", "pt-BR")) for file in FILES}
HOSTILE = ['"', "a\nb = 1", '"\n[site]\nurl = "https://evil.example"\n#', "\\", "'''", '"""', "# no comment", "é\u2028\x85ü",
           "</script><b>", "\x7f\x00", "[[x]]", ""]  # fmt: skip


def some_value(control, chance):
    """A value of the control's kind, often one that the reader refuses: that is not the writer's business."""
    words = control.choices or ("price_a", "price_b", "price_c", "price_d", "x" * 90)
    if control.kind == "rows":
        row = {"name": chance.choice(words), "list": chance.sample(words, 2), "below": {"enabled": True, "n": 3}}
        return [row | {"number": number} for number in range(chance.randrange(4))]
    values = {
        "switch": [True, False],
        "number": [1, 12, 1.25, -3],
        "choice": [*words],
        "text": ["Some words", *HOSTILE],
    }
    lists = [[], *(chance.sample(words, chance.randrange(1, len(words) + 1)) for _ in range(3))]
    is_list = control.kind in ("choices", "locales", "ids", "list")
    return chance.choice([None, None, *(lists if is_list else values.get(control.kind, values["text"]))])


def put(values, path, value):
    *tables, last = path.split(".")
    for key in tables:
        values = values.setdefault(key, {})
    if value is None:
        values.pop(last, None)
    else:
        values[last] = value


def comments(text):
    """Without our own parser: what follows the sign where it is in no text in quotes."""
    return re.findall(r"#.*", re.sub(r'"(\\.|[^"\\\n])*"', "", text))


def regions(before, after):
    """What differs, as pairs of lines."""
    one, other = (re.split(r"(?<=\n)", each) for each in (before, after))
    steps = SequenceMatcher(None, one, other, autojunk=False).get_opcodes()
    return [(one[step[1] : step[2]], other[step[3] : step[4]]) for step in steps if step[0] != "equal"]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize(("brand", "file"), TEXTS)
def test_a_thousand_edits_change_their_key_and_nothing_else(brand, file, newline):  # threat 106
    chance = random.Random(f"{brand} {file} {newline!r}")
    text = TEXTS[brand, file].replace("\n", newline)
    name = "theme.toml" if file == "_start" else file
    for _ in range(80):
        control = chance.choice(CONTROLS[name])
        value = some_value(control, chance)
        after = edited(text, {control.path: value})
        meant = tomllib.loads(text)
        held = value_at(meant, control.path)
        put(meant, control.path, None if value == [] and control.kind == "rows" and held else value)
        assert meaning(tomllib.loads(after)) == meaning(meant), control.path
        assert newline == "\n" or "\n" not in after.replace("\r\n", "")
        if control.kind != "rows":
            found = regions(text, after)
            assert len(found) <= 1, (control.path, value, found)
            assert not found or not any(comments(line) for line in found[0][0]) or value is None
            assert [each.strip() for each in comments(text)] == [each.strip() for each in comments(after)]
            is_folded = after.count("\n") > text.count("\n")
            if held is not None and value is not None and not is_folded:
                assert edited(after, {control.path: held}) == text


def leaves(values, path=()):
    for key, each in values.items():
        yield from leaves(each, (*path, key)) if isinstance(each, dict) else [((*path, key), each)]


def dotted(values):
    return "".join(f"# about {path[-1]}\n{'.'.join(path)} = {written_value(each)}\n" for path, each in leaves(values))


def inline(values):
    return "".join(f"{key} = {written_value(each)}\n" for key, each in values.items())


def one_header_each(values):
    tables = (f"[{key}]\n{dotted(each)}" for key, each in values.items() if isinstance(each, dict))
    return inline({key: each for key, each in values.items() if not isinstance(each, dict)}) + "".join(tables)


@pytest.mark.parametrize("style", [dotted, inline, one_header_each])
@pytest.mark.parametrize(("brand", "file"), [("orbit", "portal.toml"), ("harbour", "theme.toml")])
def test_every_key_can_be_written_into_a_file_of_another_style(brand, file, style):
    chance = random.Random(file)
    values = tomllib.loads(TEXTS[brand, file])
    text = style(values)
    for control in CONTROLS[file]:
        value = some_value(control, chance)
        meant = tomllib.loads(text)
        put(meant, control.path, value)
        assert meaning(tomllib.loads(edited(text, {control.path: value}))) == meaning(meant)


@pytest.mark.parametrize(
    ("text", "changes", "meant"),
    [
        # A table that has dotted keys gets dotted keys: a header would be another table, or none at all.
        ("[a.b]\nc.d = 1\n", {"a.b.c.e": 2}, "[a.b]\nc.d = 1\nc.e = 2\n"),
        ("[a.b]\nc.d = 1\n", {"a.b.c.e.f": 2}, "[a.b]\nc.d = 1\nc.e.f = 2\n"),
        ("[a]\nb.c = 1\nz = 2\n", {"a.b.d": 3}, "[a]\nb.c = 1\nb.d = 3\nz = 2\n"),
        ("a.b.c = 1\n", {"a.b.d": [{"x": 1}]}, "a.b.c = 1\na.b.d = [{ x = 1 }]\n"),
        ("[a]\nb = { c = 1 }\n", {"a.b.d": 2, "a.b.c": None}, "[a]\nb = { d = 2 }\n"),
        ("[[p]]\nn = 1\no = { k = 1, l = 2 }\n", {"p": [{"n": 1}]}, "[[p]]\nn = 1\n"),
        # Below a table of `[features]` a person writes dotted keys, unless there is a header already.
        ("[a.b]\nx = 1\n", {"a.b.c.d": 2}, "[a.b]\nx = 1\nc.d = 2\n"),
        ("[a.b]\nx = 1\n[a.b.c]\n", {"a.b.c.d": 2}, "[a.b]\nx = 1\n[a.b.c]\nd = 2\n"),
        ("[a.b.c.e]\nx = 1\n", {"a.b.c.d": 2}, "[a.b.c]\nd = 2\n\n[a.b.c.e]\nx = 1\n"),
        ("", {"a.b.c.d": 2}, "[a.b]\nc.d = 2\n"),
        ("# mine\n\n[b]\nx = 1\n", {"a": 2}, "# mine\n\na = 2\n\n[b]\nx = 1\n"),
        ("[b]\nx = 1", {"b.y": 2}, "[b]\nx = 1\ny = 2\n"),
        ("[b]\nx = 1\n\n# of c\n[c]\ny = 1\n", {"b.d.e": 2}, "[b]\nx = 1\n\n[b.d]\ne = 2\n\n# of c\n[c]\ny = 1\n"),
        # A comment stays with what it describes, or alone; it never slips to the next key.
        ("[a]\n# about x\nx = 1\ny = 2\n", {"a.x": None}, "[a]\n# about x\n\ny = 2\n"),
        ("[a]\nx = 1 # one\ny = 2\n", {"a.x": None}, "[a]\n# one\n\ny = 2\n"),
        ("[a]\nx = 1\n# z = 3\n\n# of b\n[b]\n", {"a.y": 2}, "[a]\nx = 1\ny = 2\n# z = 3\n\n# of b\n[b]\n"),
        ("[a]\nx = [\n  1, # one\n  2, # two\n]\n", {"a.x": [2]}, "[a]\nx = [\n  # one\n  2, # two\n]\n"),
        ("[a]\nx = [\n  1, # one\n  2 # two\n]\n", {"a.x": [1, 2, 3]}, "[a]\nx = [\n  1, # one\n  2, # two\n  3\n]\n"),
        ("[a]\nx = [\n  1, 2,\n  3,\n]\n", {"a.x": [1, 4, 3]}, "[a]\nx = [\n  1, 4,\n  3,\n]\n"),
        ("[a]\nx = [\n  1,\n  3,\n]\n", {"a.x": [1, 2, 3]}, "[a]\nx = [\n  1,\n  2,\n  3,\n]\n"),
        ("[a]\nx = [\n  1,\n  2,\n]\n", {"a.x": [0, 1]}, "[a]\nx = [\n  0,\n  1,\n]\n"),
        ("[a]\nx = ['k', \"l\"]\n", {"a.x": ["k", "m"]}, "[a]\nx = ['k', \"m\"]\n"),
        # A header stays, and so does what stands above it.
        ("# of b\n[b]\nx = 1\n\n[c]\ny = 1\n", {"b": None}, "# of b\n[b]\n\n[c]\ny = 1\n"),
        # Tables of a list go with their comments, move with them, and come behind the others.
        ("# 1\n[[p]]\nn = 1\n\n# 2\n[[p]]\nn = 2 # two\n", {"p": [{"n": 2}]}, "# 2\n[[p]]\nn = 2 # two\n"),
        ("[[p]]\nn = 1\n\n# 2\n[[p]]\nn = 2\n", {"p": [{"n": 2}, {"n": 1}]}, "# 2\n[[p]]\nn = 2\n\n[[p]]\nn = 1\n"),
        ("[[p]]\nn = 1\n\n[q]\n", {"p": [{"n": 1}, {"n": 3}]}, "[[p]]\nn = 1\n\n[[p]]\nn = 3\n\n[q]\n"),
        ("[[p]]\nn = 1 # one\nm = 2\n", {"p": [{"n": 1, "m": 3, "o": {"k": 1}}]},
         "[[p]]\nn = 1 # one\nm = 3\no = { k = 1 }\n"),
        ("[a]\nx = 1\n\n[[p]]\nn = 1\n\n[q]\ny = 1\n", {"p": []}, "[a]\nx = 1\n\n[q]\ny = 1\n"),
    ],
)  # fmt: skip
def test_it_is_written_as_a_person_would(text, changes, meant):
    assert edited(text, changes) == meant


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        ("[a]\nb = 1\n", {"a.b.c": 2}),
        ("[a]\nb = { c = 1 }\n", {"a.b": [{"c": 1}]}),
        ("[[p]]\nn = 1\n[q]\n[[p]]\nn = 2\n", {"p": [{"n": 2}]}),
        ("[a]\nx = [\n  1, # one\n]\n", {"a.x": "text"}),
        ("[a]\nx = 1\n", {"a.y": object()}),
        ("[a]\nx = 1\n", {"a.y": [None]}),
        ("[a\n", {"a.y": 1}),
    ],
)
def test_what_cannot_be_written_safely_is_refused_with_the_lines_to_write(text, changes):
    with pytest.raises(NotEdited) as refused:
        edited(text, changes)
    assert str(refused.value)


def test_lines_by_hand_mean_what_was_asked_for():
    with pytest.raises(NotEdited) as refused:
        edited("[a]\nb = 1\n", {"a.b.c": "x\ny", "site.url": None})
    assert refused.value.lines == 'a.b.c = "x\\ny"\n# without site.url\n'


def test_a_write_that_would_mean_something_else_is_refused(monkeypatch):  # threat 106
    """As a library did it: a table below a dotted key was written as one of the first level."""

    class Careless(editing.Splicer):
        def set(self, path, value):
            self.text += f'\n[{path[-2]}]\n{path[-1]} = "{value}"\n'

    monkeypatch.setattr(editing, "Splicer", Careless)
    with pytest.raises(NotEdited, match="mean something else"):
        edited("[features.a]\ns.c = 1\n", {"features.a.s.more": "x"})
    with pytest.raises(NotEdited, match="mean something else"):
        edited("", {"site.name": 'x"\n[evil]\ny = "1'})
    monkeypatch.undo()

    class Forgetful(editing.Splicer):
        def set(self, path, value):
            super().set(path, value)
            self.text = self.text.replace("# mine\n", "")

    monkeypatch.setattr(editing, "Splicer", Forgetful)
    with pytest.raises(NotEdited, match="lose or move a comment"):
        edited("# mine\n[a]\nx = 1\n", {"a.x": 2})


@settings(max_examples=80, deadline=None)
@given(documents, st.lists(keys.filter(lambda key: "." not in key), min_size=1, max_size=3), scalars | st.none())
def test_any_file_is_edited_or_left_as_it_is(document, path, value):
    text = tomlkit.dumps(document)
    try:
        after = edited(text, {".".join(path): value})
    except NotEdited as refused:
        assert refused.lines  # noqa: PT017
        return
    if value is not None:
        found = tomllib.loads(after)
        for key in path:
            found = found[key]
        assert repr(found) == repr(value)
