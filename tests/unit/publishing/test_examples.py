"""Type, template and examples belong together, and examples are what their view says."""

from pathlib import Path

import pytest

from server.publishing import examples
from server.publishing.examples import ExampleError

GOOD = '{"one": {"about": "A state.", "view": {}}}'


def written(folder: Path, text: str, name: str = "list", feature: str = "subscriptions") -> Path:
    path = folder / feature / f"{name}.examples.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def test_every_view_has_a_template_and_examples_and_none_stands_alone():
    assert examples.orphans() == []


def test_a_view_without_a_template_and_examples_is_refused(tmp_path):
    sentences = examples.orphans(tmp_path)
    assert any("server.features.subscriptions.views.List: no template" in each for each in sentences)
    assert any("fragments/subscriptions/list.html: no examples" in each for each in sentences)


def test_a_template_alone_is_refused(tmp_path):
    (tmp_path / "subscriptions").mkdir()
    (tmp_path / "subscriptions" / "extra.html").write_text("")
    sentences = [each for each in examples.orphans(tmp_path) if "extra" in each or "Extra" in each]
    assert sentences == [
        "fragments/subscriptions/extra: no view server.features.subscriptions.views.Extra",
        "fragments/subscriptions/extra.html: no examples; write extra.examples.json beside it",
    ]


def test_examples_alone_are_refused(tmp_path):
    written(tmp_path, GOOD, "extra")
    sentences = [each for each in examples.orphans(tmp_path) if "extra" in each]
    assert sentences == [
        "fragments/subscriptions/extra: no view server.features.subscriptions.views.Extra",
        "server.features.subscriptions.views.Extra: no template site/templates/fragments/subscriptions/extra.html",
    ]


def test_every_example_of_the_site_fits_its_view():
    assert len(examples.load()) > 20


def test_every_mail_of_the_site_has_examples():
    assert {each.mail.template for each in examples.load_mails()} == set(examples.MAILS)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[]", "must be an object of named examples"),
        ("{}", "hold one at least"),
        ('{"one": {}}', 'must be an object with "view"'),
        ('{"one": {"view": {}, "abuot": "x"}}', 'must be an object with "view"'),
        ('{"one": {"view": {}, "about": 1}}', '"about" must be a sentence'),
        ('{"one": {"view": {}}, "one": {"view": {}}}', "'one' is in one object twice"),
        ('{"one": {"view": {"nmae": 1}}}', "view.nmae: no such field; there are"),
        ('{"one": {"view": {"running": 3}}}', "Expected `array`"),
        ("{", "line 1"),
    ],
)
def test_examples_that_do_not_fit_are_refused_with_the_reason(tmp_path, text, says):
    path = written(tmp_path, text)
    with pytest.raises(ExampleError) as refused:
        examples.read(path)
    assert says in str(refused.value)
    assert str(path) in str(refused.value)


def test_examples_of_a_view_that_is_not_there_are_refused(tmp_path):
    with pytest.raises(ExampleError, match=r"server\.features\.nowhere\.views\.List, and there is no such View"):
        examples.read(written(tmp_path, GOOD, "list", "nowhere"))
