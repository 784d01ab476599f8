"""`python -m server import`: its options, and what it prints."""

import json

import pytest

from server import __main__ as commands
from tests.support import exports


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PORTAL_DATABASE", f"sqlite:{tmp_path / 'portal.sqlite'}")

    def ran(*options, records=()):
        file = tmp_path / "export.jsonl"
        file.write_text("\n".join(json.dumps(each) for each in records))
        code = commands.main(["import", "plain", str(file), *options])
        return code, *capsys.readouterr()

    return ran


def test_a_dry_run_keeps_nothing(run):
    records = [exports.product(), exports.customer(), exports.subscription()]
    for _ in range(2):
        code, said, _ = run("--dry-run", records=records)
        assert (code, said.splitlines()[0]) == (
            0, "1 customers would be new, 0 changed, 0 are as they were.")  # fmt: skip
    assert "What comes next, within 31 days:" in said


def test_broken_records_are_left_out_into_a_file(run, tmp_path):
    records = [exports.customer(), exports.customer("cus_2", created="soon")]
    code, _, wrong = run(records=records)
    assert (code, "Nothing was imported." in wrong, "$.created: expected `int`" in wrong) == (1, True, True)
    code, said, _ = run("--leave-out-broken", str(tmp_path / "broken.txt"), records=records)
    assert (code, "1 records were left out because they are wrong." in said) == (0, True)
    assert "export.jsonl:2: $.created: expected `int`, got `str`" in (tmp_path / "broken.txt").read_text()


def test_nothing_is_imported_where_the_broken_records_cannot_be_written_down(run, tmp_path):
    records = [exports.customer(), exports.customer("cus_2", created="soon")]
    code, _, wrong = run("--leave-out-broken", str(tmp_path / "nowhere" / "broken.txt"), records=records)
    assert (code, "broken.txt: No such file or directory" in wrong, "Nothing was imported." in wrong) == (1, True, True)
    assert run(records=records[:1])[1].startswith("1 customers are new")


def test_the_report_is_json(run):
    code, said, _ = run("--json", "--billed-until", "2026-11-30T12:00+01:00", records=[exports.customer()])
    told = json.loads(said)
    assert (code, told["new"], told["billed_until"]) == (0, 1, "2026-11-30T11:00:00Z")


def test_a_moment_that_is_none_is_refused(run, capsys):
    with pytest.raises(SystemExit):
        run("--billed-until", "soon")
    assert "'soon' is no date like 2026-11-30" in capsys.readouterr().err


def test_automatic_tax_is_billed_without_where_the_merchant_says_so(run):
    records = [exports.product(), exports.customer(), exports.subscription(automatic_tax={"enabled": True})]
    assert run(records=records)[0] == 1
    assert run("--bill-without-automatic-tax", records=records)[0] == 0
