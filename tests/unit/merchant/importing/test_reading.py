"""Which records are in a file, where they stand, and which files are refused."""

import json

import pytest

from server.merchant.importing.reading import ImportRefused, Lists, encoded, records

ONE, TWO = {"id": "a", "object": "product"}, {"id": "b", "object": "product"}


@pytest.fixture
def file(tmp_path):
    return tmp_path / "export.json"


def read(file, content):
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return [(place.line, place.steps, record) for place, record, _ in records(file)]


def test_a_single_object(file):
    assert read(file, json.dumps(ONE)) == [(1, (), ONE)]


@pytest.mark.parametrize("indent", [None, 2])
def test_an_array(file, indent):
    assert read(file, json.dumps([ONE, TWO], indent=indent)) == [(1, (0,), ONE), (1, (1,), TWO)]


def test_a_list_without_its_last_page_is_named(file):
    def page(url, *, has_more):
        return json.dumps({"object": "list", "url": url, "has_more": has_more, "data": []}) + "\n"

    def second(**urls):
        return json.dumps({"data": [], "next_page_url": None, "previous_page_url": None, **urls}) + "\n"

    lists = Lists()
    file.write_text(
        page("/v1/customers", has_more=True)
        + page("/v1/customers", has_more=False)
        + page("/v1/invoices", has_more=True)
        + second(next_page_url="/v2/core/accounts?page=2")
        + second(previous_page_url="/v2/core/accounts?page=1")
        + second(next_page_url="/v2/core/events?page=2")
    )
    assert list(records(file, lists)) == []
    assert lists.unfinished() == ("/v1/invoices", "/v2/core/events")


@pytest.mark.parametrize("indent", [None, 2])
def test_a_list_answer(file, indent):
    answer = {"object": "list", "data": [ONE, TWO], "has_more": False}
    assert read(file, json.dumps(answer, indent=indent)) == [(1, ("data", 0), ONE), (1, ("data", 1), TWO)]


def test_a_list_answer_of_a_search_and_of_v2(file):
    found = {"object": "search_result", "data": [ONE], "has_more": False}
    second = {"data": [TWO], "next_page_url": None, "previous_page_url": None}
    assert read(file, json.dumps(found)) == [(1, ("data", 0), ONE)]
    assert read(file, json.dumps(second)) == [(1, ("data", 0), TWO)]
    assert read(file, json.dumps({"data": [ONE]})) == [(1, (), {"data": [ONE]})]


def test_json_lines_may_hold_objects_and_pages(file):
    lines = [json.dumps(ONE), "", json.dumps([TWO]), json.dumps({"object": "list", "data": [ONE]})]
    assert read(file, "\n".join(lines)) == [(1, (), ONE), (3, (0,), TWO), (4, ("data", 0), ONE)]


@pytest.mark.parametrize("content", ["[]", '{"object":"list","data":[]}'])
def test_a_list_may_be_empty(file, content):
    assert read(file, content) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r":1: \$: the file is empty"),
        (b"\n \n", r": \$: the file is empty"),
        (b"\xef\xbb\xbf{}", r":1: \$: begins with a byte-order mark"),
        ("{}".encode("utf-16"), r":1: \$: begins with a byte-order mark"),
        (b'{\n"a": "\xff"}', r":2: \$: not UTF-8 at byte 8"),
        ('{\n"a": 1,\n}', r":[23]: \$: not JSON: .* at column [17]"),  # Python 3.13 names the comma
        ('{"a": 1}\n{"a": 1\n', r":2: \$: not JSON"),
        ('{"a": 1}\n{"a": 1, "a": 2}', r":2: \$: the key 'a' appears twice"),
        ('{"a": {"b": 1, "b": 1}}', r":1: \$: the key 'b' appears twice"),
        ('{"a": NaN}', r":1: \$: NaN is not a number"),
        ('{"a": -Infinity}', r":1: \$: -Infinity is not a number"),
        ('{"a": 9223372036854775808}', r":1: \$: the number 9223372036854775808 is beyond 64 bits"),
        ('{"a": ' + "9" * 5000 + "}", r":1: \$: the number 9+ is beyond 64 bits"),
        ("[" * 100_000, r":1: \$: nested too deep"),
        ('{"a":' * 100_000, r":1: \$: nested too deep"),
        ("[1]", r":1: \$\[0\]: expected an object, got a number"),
        ('{"a": 1}\n"text"', r":2: \$: expected an object, got text"),
        ('{"object": "list", "data": [{}, null]}', r":1: \$\.data\[1\]: expected an object, got null"),
        ("not json", r":1: \$: not JSON"),
    ],
)
def test_a_broken_file_is_refused_with_its_place(file, content, message):
    with pytest.raises(ImportRefused, match=message):
        read(file, content)


def test_a_file_that_is_not_there_is_named(file):
    with pytest.raises(ImportRefused, match=r"export\.json: No such file"):
        list(records(file))


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(ImportRefused, match="Is a directory"):
        list(records(tmp_path))


def place_of(file, content, index):
    file.write_text(content)
    return [place for place, _, _ in records(file)][index]


@pytest.mark.parametrize(
    ("path", "line"), [("$", 6), ("$.id", 7), ("$.items.data[1].price", 12), ("$.items.nothing", 9), ("$.nothing", 6)]
)
def test_a_mistake_is_found_in_a_file_of_many_lines(file, path, line):
    content = """{
  "object": "list",
  "url": "/v1/things",
  "data": [
    {"id": "a"},
    {
      "id": "b",
      "items":
        {
        "data": [
          {"price": 1},
          {"price": "wrong"}]
        }
    }
  ]
}"""
    refusal = place_of(file, content, 1).refusal("is wrong", path)
    assert str(refusal) == f"{file}:{line}: $.data[1]{path[1:]}: is wrong"


def test_a_mistake_in_json_lines_has_the_line_of_its_record(file):
    assert str(place_of(file, "{}\n{}\n", 1).refusal("is wrong", "$.a")) == f"{file}:2: $.a: is wrong"


@pytest.mark.parametrize(
    ("record", "message"),
    [({"a": ["\x00"]}, "holds a NUL"), ({"a\x00": 1}, "holds a NUL"), ({"a": "\ud800"}, "half of a character")],
)
def test_text_that_no_database_keeps_is_refused(file, record, message):
    place = place_of(file, json.dumps(record), 0)
    with pytest.raises(ImportRefused, match=message):
        encoded(place, record)


def test_a_backslash_before_u0000_is_not_a_nul(file):
    record = {"a": "\\u0000"}
    assert encoded(place_of(file, json.dumps(record), 0), record)
