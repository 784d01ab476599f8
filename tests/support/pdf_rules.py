"""What PDF/A-3a and PDF/UA-1 ask of a file, as far as its objects show it, and what qpdf finds wrong with it.

Typst refuses to write a file that breaks either standard; these rules are a second pair of eyes, over what is written in
the end. They are no whole validator: widths of glyphs and the syntax of color profiles are not looked at.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any

import pikepdf

_SHOWS_TEXT = {"Tj", "TJ", "'", '"'}
_PAINTS = {"f", "F", "f*", "B", "B*", "b", "b*", "S", "s", "Do", "sh"}
_FORBIDDEN = {"/Launch", "/Sound", "/Movie", "/ResetForm", "/ImportData", "/JavaScript", "/Hide", "/Rendition"}


def faults(pdf: bytes) -> list[str]:
    """Everything that is wrong, in words; nothing where all is well."""
    with pikepdf.open(io.BytesIO(pdf)) as found:
        return [
            *found.check_pdf_syntax(),
            *_head(found),
            *_metadata(found),
            *_objects(found),
            *(f"page {number}: {each}" for number, page in enumerate(found.pages, 1) for each in _page(page)),
            *_tags(found),
            *_attachments(found),
        ]


def _head(pdf: pikepdf.Pdf) -> Iterator[str]:
    root = pdf.Root
    if "/Encrypt" in pdf.trailer:
        yield "encrypted"
    if len(pdf.trailer.get("/ID", [])) != 2:
        yield "without an ID"
    if not str(root.get("/Lang", "")):
        yield "without a language"
    if not root.get("/MarkInfo", {}).get("/Marked", False) or "/StructTreeRoot" not in root:
        yield "not tagged"
    if not root.get("/ViewerPreferences", {}).get("/DisplayDocTitle", False):
        yield "a viewer would show the name of the file, not the title"
    if {"/OpenAction", "/AA", "/AcroForm", "/OCProperties"} & set(root.keys()):
        yield "with actions, forms or layers"
    intents = root.get("/OutputIntents", [])
    if not any(each.get("/S") == "/GTS_PDFA1" and "/DestOutputProfile" in each for each in intents):
        yield "without an output intent"


def _metadata(pdf: pikepdf.Pdf) -> Iterator[str]:
    told = pdf.Root.Metadata.read_bytes().decode() if "/Metadata" in pdf.Root else ""
    for claim in ("pdfaid:part>3<", "pdfaid:conformance>A<", "pdfuaid:part>1<"):
        if claim not in told:
            yield f"its description does not say {claim}"
    with pdf.open_metadata(set_pikepdf_as_editor=False, update_docinfo=False) as xmp:
        title = xmp.get("dc:title", "")
    if not title or title != str(pdf.docinfo.get("/Title", "")):
        yield f"titles differ or are missing: {title!r}"
    described = set(re.findall(r"<pdfaSchema:namespaceURI>([^<]+)<", told))
    for space in re.findall(r'xmlns:fx="([^"]+)"', told):
        if space not in described:
            yield f"{space} is used and not described"


def _objects(pdf: pikepdf.Pdf) -> Iterator[str]:
    for each in pdf.objects:
        if not isinstance(each, pikepdf.Dictionary | pikepdf.Stream):
            continue
        kind = str(each.get("/Type", ""))
        if kind == "/FontDescriptor" and not {"/FontFile", "/FontFile2", "/FontFile3"} & set(each.keys()):
            yield f"the font {each.get('/FontName')} is not inside"
        if kind == "/Font" and each.get("/Subtype") == "/Type0" and "/ToUnicode" not in each:
            yield f"the characters of {each.get('/BaseFont')} have no meaning"
        if str(each.get("/S", "")) in _FORBIDDEN or "/JS" in each:
            yield f"an action: {each.get('/S')}"
        if isinstance(each, pikepdf.Stream) and ("/F" in each.stream_dict or each.get("/Filter") == "/LZWDecode"):
            yield "a stream outside of the file, or packed by LZW"


def _page(page: pikepdf.Page) -> Iterator[str]:
    """Whatever is shown is either an artifact or a part of the tree."""
    if "/StructParents" not in page.obj:
        yield "nothing leads from it into the tree"
    if page.obj.get("/Annots") and page.obj.get("/Tabs") != "/S":
        yield "links are not in the order of the tree"
    depth = 0
    for operands, operator in pikepdf.parse_content_stream(page):
        word = str(operator)
        depth += {"BDC": 1, "BMC": 1, "EMC": -1}.get(word, 0)
        if (word in _SHOWS_TEXT or word in _PAINTS) and depth == 0:
            yield f"{word} is neither tagged nor an artifact"
        if word == "Tf" and not operands:
            yield "text without a font"


def elements(pdf: pikepdf.Pdf) -> Iterator[Any]:
    """The elements of the structure tree, in the order in which they are read."""
    todo = [pdf.Root.StructTreeRoot]
    while todo:
        it = todo.pop()
        if isinstance(it, pikepdf.Array):
            todo += reversed(list(it))
        elif isinstance(it, pikepdf.Dictionary):
            if "/S" in it:
                yield it
            if "/K" in it:
                todo.append(it.K)


def _tags(pdf: pikepdf.Pdf) -> Iterator[str]:
    levels = [0]
    for each in elements(pdf) if "/StructTreeRoot" in pdf.Root else ():
        role = str(each.S)
        if role == "/Figure" and not str(each.get("/Alt", "")):
            yield "a picture without words"
        if role == "/TH" and not any("/Scope" in part for part in _attributes(each)):
            yield "a table head that does not say of what it is the head"
        if role == "/Table":
            inside = [str(part.S) for part in elements(_Part(each))]
            if "/TH" not in inside:
                yield "a table without a head"
        if re.fullmatch("/H[1-6]", role):
            if int(role[2]) > levels[-1] + 1:
                yield f"{role} comes after level {levels[-1]}"
            levels.append(int(role[2]))
    if levels == [0]:
        yield "no heading"


class _Part:
    """A part of the tree, as if it were all of it."""

    def __init__(self, element: Any) -> None:
        self.Root = pikepdf.Dictionary(StructTreeRoot=pikepdf.Dictionary(K=element.K))


def _attributes(element: Any) -> list[Any]:
    found = element.get("/A", [])
    return list(found) if isinstance(found, pikepdf.Array) else [found]


def _attachments(pdf: pikepdf.Pdf) -> Iterator[str]:
    named = pdf.Root.get("/Names", {}).get("/EmbeddedFiles", {}).get("/Names", [])
    specs = [each for each in named if isinstance(each, pikepdf.Dictionary)]
    if len(specs) != len(pdf.Root.get("/AF", [])):
        yield "an attachment that the document does not name"
    for each in specs:
        if not {"/F", "/UF", "/AFRelationship", "/EF"} <= set(each.keys()):
            yield "an attachment that does not say what it is to the document"
        elif "/Subtype" not in each.EF.F or "/ModDate" not in each.EF.F.get("/Params", {}):
            yield "an attachment without its kind or its date"
