"""What stands in a PDF, as a reader and its software see it."""

from __future__ import annotations

import contextlib
import io
import re

import pypdf
import pypdfium2


def words(pdf: bytes) -> str:
    """All text, in one line, without what only says where a line may break or which way it runs."""
    pages = (page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages)
    return re.sub(r"\s+", " ", re.sub("[\u2066-\u2069\u200e\u200f]", "", "\n".join(pages)))


def fonts(pdf: bytes) -> set[str]:
    """What its fonts are called."""
    pages = pypdf.PdfReader(io.BytesIO(pdf)).pages
    return {str(each.get_object()["/BaseFont"]) for page in pages for each in page["/Resources"]["/Font"].values()}


def squeezed(text: str) -> str:
    """Without any space: where lines broke does not matter."""
    return re.sub(r"\s+", "", text)


def claims(pdf: bytes) -> set[str]:
    """The standards that it says it follows, and `tagged`."""
    reader = pypdf.PdfReader(io.BytesIO(pdf))
    root = reader.trailer["/Root"]
    meta = root["/Metadata"].get_data().decode() if "/Metadata" in root else ""
    found = set()
    if re.search(r"pdfaid:part>3<", meta) and re.search(r"pdfaid:conformance>A<", meta):
        found.add("PDF/A-3a")
    if re.search(r"pdfuaid:part>1<", meta):
        found.add("PDF/UA-1")
    if root.get("/MarkInfo", {}).get("/Marked") and "/StructTreeRoot" in root:
        found.add("tagged")
    return found


def is_embedded(pdf: bytes) -> bool:
    """Whether every font that a page uses is inside the file."""
    fonts = [
        font.get_object()
        for page in pypdf.PdfReader(io.BytesIO(pdf)).pages
        for font in page["/Resources"].get("/Font", {}).values()
    ]
    inner = [each["/DescendantFonts"][0] if "/DescendantFonts" in each else each for each in fonts]
    keys = {"/FontFile", "/FontFile2", "/FontFile3"}
    return bool(inner) and all(keys & set(each["/FontDescriptor"]) for each in inner)


def language(pdf: bytes) -> str:
    return str(pypdf.PdfReader(io.BytesIO(pdf)).trailer["/Root"]["/Lang"])


def page_texts(pdf: bytes) -> list[str]:
    return [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages]


def roles(pdf: bytes) -> set[str]:
    """The kinds of elements in its structure tree, such as `/Table`."""
    found, todo = set(), [pypdf.PdfReader(io.BytesIO(pdf)).trailer["/Root"]["/StructTreeRoot"]]
    while todo:
        it = todo.pop().get_object() if hasattr(todo[-1], "get_object") else todo.pop()
        if isinstance(it, list):
            todo += it
        elif isinstance(it, dict):
            if "/S" in it:
                found.add(str(it["/S"]))
            if "/K" in it:
                todo.append(it["/K"])
    return found


def as_read(pdf: bytes, page: int | None = None) -> str:
    """What somebody copies out of a viewer, of all pages or of one, in one line."""
    with contextlib.closing(pypdfium2.PdfDocument(pdf)) as found:
        numbers = range(len(found)) if page is None else (page,)
        text = "\n".join(found[number].get_textpage().get_text_range() for number in numbers)
    return re.sub(r"\s+", " ", re.sub("[\u2066-\u2069\u200e\u200f\ufffe]", "", text))


def edges(pdf: bytes, first: str = "", last: str = "") -> tuple[float, float]:
    """The edges of the leftmost and the rightmost letter of the first page, in points; of those from `first` to `last`."""
    with contextlib.closing(pypdfium2.PdfDocument(pdf)) as read:
        page = read[0].get_textpage()
        text = page.get_text_range()
        start = text.index(first)
        end = text.index(last, start) + len(last) if last else len(text)
        found = [page.get_charbox(n) for n in range(start, end) if not text[n].isspace()]
    return min(left for left, *_ in found), max(right for _, _, right, _ in found)


def page_count(pdf: bytes) -> int:
    return len(pypdf.PdfReader(io.BytesIO(pdf)).pages)


def picture(pdf: bytes) -> bytes:
    """The pixels of the first page."""
    with contextlib.closing(pypdfium2.PdfDocument(pdf)) as found:
        return bytes(found[0].render(scale=1).buffer)
