"""From the values of a brand's files to what the controls of a form hold, and from a posted form back to values.

    fields(controls, held, draft.values, mistakes)  ->  a `Field` for each control: its inputs' texts, errors, default
    touched(controls, form, held)                   ->  {path: value}: the keys that the operator changed, and only those

Each control posts, beside its inputs, what it showed (`was:<path>`). A key whose inputs still say that was not touched: it
keeps what the file holds, also where the form could not have shown it. A control without its `was:` was not in the form, or
was disabled.

| input | holds |
|---|---|
| `<path>` | the text or texts of the control |
| `was:<path>` | `Field.was` |
| `seen:<path>` | where scripts run: somebody has typed there since the page was shown, when the key was `set` or `left` out |
| `empty:<path>` | `on`: an empty value, where that is not the same as leaving the key out (`Control.may_be_empty`) |
| `<path>[0].<column>` | the same for a column of a row; `empty:` stands before it likewise |
| `<path>[0]` | of each row: its number in the list that was shown, or `new` |
| `do` | a button: `default:<path>` leaves the key out; `add:<path>`; `remove:<path>[0]`, `up:<path>[0]`, `down:<path>[0]` |
| `new:<path>` | of rows: what the added one begins with, of those that `touched` was given |

The text of an `image` or `font` is the name of the file: who takes an upload puts its new name there.

Texts become values without a judgment: what is not a number stays a text, and the strict reader says what is wrong with it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from typing import Any

import msgspec

from server.brands import Mistake
from server.merchant.studio.declarations import Control
from server.merchant.studio.drafts import value_at

_EMPTY = [""]
"""The texts of a control whose value is meant to be empty; of one where nothing is typed there are none."""

Form = Mapping[str, Sequence[str]]
"""What was posted: the texts of each input, by its name."""


class Field(msgspec.Struct, frozen=True):
    """One control with what it holds."""

    control: Control
    name: str
    """Of its inputs."""
    texts: tuple[str, ...]
    """What its inputs hold: one text, the chosen ones of `choices`, `on` of a switch; nothing: none."""
    is_set: bool
    """Whether the file will hold the key; else the default is shown."""
    is_touched: bool
    """Whether the operator changed it and did not write it yet."""
    default: str
    """What holds where the key is left out, in words."""
    is_odd: bool = False
    """Whether the file holds what the control cannot ask for: it is shown as it is, and stays until it is changed."""
    errors: tuple[str, ...] = ()
    """In the words of the strict reader."""
    rows: tuple[tuple[Field, ...], ...] = ()
    was: str = ""
    """For the hidden input `was:<path>`."""
    is_empty: bool = False
    """Whether `empty:<path>` is checked."""


def fields(
    controls: Iterable[Control],
    held: Mapping[str, Any],
    values: Mapping[str, Any],
    mistakes: Iterable[Mistake] = (),
    inherited: Mapping[str, Any] | None = None,
) -> tuple[Field, ...]:
    """The fields of a page. `held`: what the files hold; `values`: what the draft wants instead; `inherited`: what themes
    give that this one extends."""
    errors: dict[str, list[str]] = {}
    for each in mistakes:
        for key in (each.key, *each.also):
            errors.setdefault(key, []).append(said(each))
    return tuple(_field(each, held, values, errors, inherited or {}) for each in controls)


Starts = Mapping[str, Mapping[str, dict[str, Any]]]
"""The rows that a new one may begin as: by the path of the control, and by what `new:<path>` says."""


def said(mistake: Mistake) -> str:
    """What is wrong, as it is beside a field."""
    if mistake.found == "nothing":
        return f"Missing: {mistake.allowed}."
    return f"{mistake.found[:1].upper()}{mistake.found[1:]} is not possible here. Allowed: {mistake.allowed}."


def told(mistake: Mistake) -> str:
    """The same with its place, which is no folder of the server: who works here need not know those."""
    return f"{placed(mistake)}: {f'{mistake.key}: ' if mistake.key else ''}{said(mistake)}"


def placed(mistake: Mistake) -> str:
    return f"{mistake.file.name}{f' (line {mistake.line})' if mistake.line else ''}"


def touched(
    controls: Iterable[Control], form: Form, held: Mapping[str, Any], starts: Starts | None = None
) -> dict[str, Any]:
    """What the operator changed, by path: the value as TOML has it, or None to leave the key out."""
    found: dict[str, Any] = {}
    verb, _, target = (form.get("do") or [""])[-1].partition(":")
    for control in controls:
        path = control.path
        if verb == "default" and target == path:
            found[path] = None
        elif f"was:{path}" not in form:
            continue
        elif control.kind == "rows":
            before = _shown(form, path)
            shown = before if isinstance(before, list) else []
            new = (starts or {}).get(path, {}).get((form.get(f"new:{path}") or [""])[-1], {})
            if (rows := _rows(control, form, shown, verb, target, new=new)) != shown or f"seen:{path}" in form:
                found[path] = rows or None
        elif (texts := _posted(control, form, path)) != _shown(form, path):
            found[path] = _value(control, texts, value_at(held, path))
        elif f"seen:{path}" in form:  # typed back to what it was: what the draft got in between is no longer meant
            found[path] = None if form[f"seen:{path}"][-1] == "left" else _meant(control, texts, value_at(held, path))
    return found


# --- from values to texts -------------------------------------------------------------------------------------------


def _field(
    control: Control,
    held: Mapping[str, Any],
    values: Mapping[str, Any],
    errors: Mapping[str, list[str]],
    inherited: Mapping[str, Any],
) -> Field:
    path = control.path
    value = values[path] if path in values else value_at(held, path)
    default = _default(control, held, values, inherited)
    texts = _texts(control, value, default)
    rows = _row_fields(control, value, errors) if control.kind == "rows" else ()
    shown = value if control.kind == "rows" else _marked(texts, is_empty=_is_empty(control, value))
    return Field(
        control=control,
        name=path,
        texts=texts,
        is_set=value is not None,
        is_touched=path in values,
        default=control.left_out if default is None else in_words(default),
        is_odd=value is not None and not _can_ask(control, value),
        errors=tuple(_errors(path, errors, below=control.kind in ("choices", "locales", "ids", "list"))),
        rows=rows,
        was=json.dumps(shown, ensure_ascii=False, default=str),
        is_empty=_is_empty(control, value),
    )


def _errors(path: str, errors: Mapping[str, list[str]], *, below: bool) -> list[str]:
    """Those of the key, and with `below` those of the elements of its list."""
    return [
        sentence
        for key, sentences in errors.items()
        if key == path or (below and re.fullmatch(re.escape(path) + r"\[\d+\]", key))
        for sentence in sentences
    ]


def _default(control: Control, held: Mapping[str, Any], values: Mapping[str, Any], inherited: Mapping[str, Any]) -> Any:
    given = value_at(inherited, control.path)
    if given is not None:
        return given
    if control.like:
        other = values[control.like] if control.like in values else value_at(held, control.like)
        return control.default if other is None else other
    return control.default


def _texts(control: Control, value: Any, default: Any) -> tuple[str, ...]:
    """What the inputs hold. A control that offers closed choices shows the one that holds; one to type into is empty
    where the file does not hold the key, and shows the default beside it."""
    if value is None and control.kind in ("switch", "choice", "choices"):
        value = default
    if value is None or control.kind == "rows":
        return ()
    if control.kind == "switch" and isinstance(value, bool):
        return ("on",) if value else ()
    if isinstance(value, list):
        return tuple(map(in_words, value))
    return (in_words(value),) if value != "" else ()


def in_words(value: Any) -> str:
    """A value as a person types it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ", ".join(map(in_words, value))
    if isinstance(value, dict):
        return ", ".join(f"{key} = {in_words(each)}" for key, each in value.items())
    return f"{value:g}" if isinstance(value, float) else str(value)


def _is_empty(control: Control, value: Any) -> bool:
    return control.may_be_empty and value in ("", [])


def _can_ask(control: Control, value: Any) -> bool:
    """Whether the control can hold this value."""
    if control.kind in ("rows", "choices", "locales", "ids", "list"):
        values = value if isinstance(value, list) else [value] if control.kind == "ids" else [None]
    else:
        values = [value]
    return all(_fits(control, each) for each in values)


def _fits(control: Control, value: Any) -> bool:
    if control.kind == "rows":
        return isinstance(value, dict)
    if control.kind == "switch":
        return isinstance(value, bool)
    if control.kind in ("choice", "choices"):
        return isinstance(value, str | int) and not isinstance(value, bool) and str(value) in control.choices
    if control.kind == "number" or _holds_numbers(control.default):
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, str) or (control.declared.endswith(".weight") and isinstance(value, int))


def _row_fields(control: Control, value: Any, errors: Mapping[str, list[str]]) -> tuple[tuple[Field, ...], ...]:
    if not isinstance(value, list):
        return ()
    rows = []
    for number, row in enumerate(value):
        before = f"{control.path}[{number}]"
        here = {key.removeprefix(f"{before}."): each for key, each in errors.items() if key.startswith(f"{before}.")}
        if whole := errors.get(before):
            first = control.columns[0].path
            here[first] = [*whole, *here.get(first, [])]
        made = (_field(each, row if isinstance(row, dict) else {}, {}, here, {}) for each in control.columns)
        rows.append(tuple(msgspec.structs.replace(each, name=f"{before}.{each.name}") for each in made))
    return tuple(rows)


# --- from texts to values -------------------------------------------------------------------------------------------


def _marked(texts: Iterable[str], *, is_empty: bool) -> list[str]:
    """The texts of a control as one list to compare: what a person cannot see makes no difference."""
    return _EMPTY if is_empty else [each for each in texts if each]


def _posted(control: Control, form: Form, name: str) -> list[str]:
    texts = [each.replace("\r\n", "\n").strip() for each in form.get(name, ())]
    if control.kind in ("ids", "list", "locales"):
        texts = [each.strip() for text in texts for each in re.split(r"[\n,]", text)]
    return _marked(texts, is_empty=control.may_be_empty and "on" in form.get(f"empty:{name}", ()))


def _shown(form: Form, path: str) -> Any:
    try:
        return json.loads(form[f"was:{path}"][-1])
    except (ValueError, IndexError, RecursionError):
        return None


def _value(control: Control, texts: list[str], before: Any) -> Any:
    """What these texts say, as TOML has it; None: the key is left out."""
    if texts == _EMPTY:
        return [] if isinstance(control.default, list) else ""
    if control.kind == "switch":
        return "on" in texts
    if control.kind == "choices":
        known = [each for each in before if each in texts] if isinstance(before, list) else []
        return [*known, *(each for each in control.choices if each in texts and each not in known)]
    if not texts:
        return None
    if control.kind == "number" or _holds_numbers(control.default):
        values = [_number(each) for each in texts]
    else:
        values = list(texts)
    is_list = control.kind in ("locales", "list") or (
        control.kind == "ids" and (len(values) > 1 or isinstance(before, list))
    )
    return values if is_list else values[-1]


def _meant(control: Control, texts: list[str], held: Any) -> Any:
    """What these texts say; where they show what the file holds, exactly that."""
    shows = None if held is None else _marked(_texts(control, held, control.default), is_empty=_is_empty(control, held))
    return held if shows == texts else _value(control, texts, held)


def _holds_numbers(default: Any) -> bool:
    """Whether a key with this default is a number, or a list of numbers."""
    each = default[0] if isinstance(default, list) and default else default
    return isinstance(each, int | float) and not isinstance(each, bool)


def _number(text: str) -> Any:
    if re.fullmatch(r"[+-]?\d{1,18}", text):
        return int(text)
    return float(text) if re.fullmatch(r"[+-]?\d{1,15}\.\d{1,15}", text) else text


def _rows(control: Control, form: Form, shown: list[Any], verb: str, target: str, *, new: dict[str, Any]) -> list[Any]:
    """The rows as they were posted, in their order, after what the button asked for."""
    path = control.path
    names = [name for name in form if re.fullmatch(re.escape(path) + r"\[\d{1,4}\]", name)]
    rows = []
    for name in sorted(names, key=lambda each: int(each[len(path) + 1 : -1])):
        number = form[name][-1]
        known = shown[int(number)] if re.fullmatch(r"\d{1,4}", number) and int(number) < len(shown) else {}
        rows.append((name, _row(control, form, name, known if isinstance(known, dict) else {})))
    at = next((position for position, (name, _) in enumerate(rows) if name == target), None)
    if verb == "add" and target == path:
        rows.append(("", deepcopy(new)))
    elif at is not None and verb == "remove":
        del rows[at]
    elif at is not None and verb in ("up", "down"):
        to = max(0, at - 1) if verb == "up" else at + 1
        rows.insert(to, rows.pop(at))
    return [row for _, row in rows]


def _row(control: Control, form: Form, name: str, known: dict[str, Any]) -> dict[str, Any]:
    row = deepcopy(known)
    for column in control.columns:
        before = value_at(known, column.path)
        texts = _posted(column, form, f"{name}.{column.path}")
        shown = _texts(column, before, column.default)
        if texts == _marked(shown, is_empty=_is_empty(column, before)):
            continue
        _put(row, column.path.split("."), _value(column, texts, before))
    return row


def _put(row: dict[str, Any], path: list[str], value: Any) -> None:
    for key in path[:-1]:
        below = row.setdefault(key, {})
        if not isinstance(below, dict):
            return
        row = below
    if value is None:
        row.pop(path[-1], None)
    else:
        row[path[-1]] = value
