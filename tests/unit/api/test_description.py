"""`docs/openapi.json` is made from the declarations."""

import subprocess
import sys

from server.publishing import api_description


def test_it_is_what_the_declarations_say() -> None:
    assert api_description.FILE.read_text("utf-8") == api_description.text(), "run: python3 build.py reference"


def test_it_names_each_parameter_that_the_reader_takes() -> None:
    made = api_description.description()["paths"]["/v1/billing_portal/configurations"]["post"]
    form = made["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]
    cancel = form["properties"]["features"]["properties"]["subscription_cancel"]
    assert cancel["properties"]["mode"]["enum"] == ["at_period_end", "immediately"]
    assert cancel["additionalProperties"] is False


def test_a_server_does_not_load_what_only_the_build_needs() -> None:
    said = "import sys, server.app; print([each for each in sys.modules if 'api_description' in each])"
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
