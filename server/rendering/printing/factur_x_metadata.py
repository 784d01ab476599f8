"""An electronic invoice inside a PDF. Typst attaches the file; here the PDF learns to say what it is.

Factur-X wants four properties in the PDF's own description (XMP), and PDF/A wants properties that it does not know to be
described there as well. Everything else stays as Typst wrote it: the tags, the fonts, the claims.
"""

from __future__ import annotations

from io import BytesIO

from pikepdf import ObjectStreamMode, Pdf, StreamDecodeLevel

NAME = "factur-x.xml"
"""What the standard calls the file."""
MEDIA_TYPE = "text/xml"
_SPACE = "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#"
_VALUES = {"DocumentType": "INVOICE", "DocumentFileName": NAME, "Version": "1.0", "ConformanceLevel": "EN 16931"}
_MEANINGS = {
    "DocumentType": "The type of the hybrid document",
    "DocumentFileName": "The name of the embedded XML invoice file",
    "Version": "The version of the XML schema",
    "ConformanceLevel": "The conformance level of the embedded data",
}


def _property(name: str) -> str:
    told = {"category": "external", "description": _MEANINGS[name], "name": name, "valueType": "Text"}
    inside = "".join(f"<pdfaProperty:{key}>{value}</pdfaProperty:{key}>" for key, value in told.items())
    return f'<rdf:li rdf:parseType="Resource">{inside}</rdf:li>'


_SCHEMA = (
    '<rdf:li rdf:parseType="Resource"><pdfaSchema:schema>Factur-X PDFA Extension Schema</pdfaSchema:schema>'
    f"<pdfaSchema:namespaceURI>{_SPACE}</pdfaSchema:namespaceURI><pdfaSchema:prefix>fx</pdfaSchema:prefix>"
    f"<pdfaSchema:property><rdf:Seq>{''.join(map(_property, _VALUES))}</rdf:Seq></pdfaSchema:property></rdf:li>"
)
_DESCRIPTION = (
    f'<rdf:Description rdf:about="" xmlns:fx="{_SPACE}">'
    + "".join(f"<fx:{name}>{value}</fx:{name}>" for name, value in _VALUES.items())
    + "</rdf:Description>"
)
_PLACES = (
    (b"</rdf:Bag></pdfaExtension:schemas>", _SCHEMA.encode()),
    (b"</rdf:RDF>", _DESCRIPTION.encode()),
)


def declared(pdf: bytes) -> bytes:
    """The PDF/A, which has the file `NAME` attached, with the properties of Factur-X. The same bytes give the same."""
    with Pdf.open(BytesIO(pdf)) as found:
        metadata = found.Root.Metadata
        told = metadata.read_bytes()
        for place, more in _PLACES:
            if told.count(place) != 1:
                raise ValueError(f"the PDF's description has {place.decode()} {told.count(place)} times, not once")
            told = told.replace(place, more + place)
        metadata.write(told)
        out = BytesIO()
        found.save(
            out,
            deterministic_id=True,
            compress_streams=False,
            object_stream_mode=ObjectStreamMode.disable,
            stream_decode_level=StreamDecodeLevel.none,
        )
    return out.getvalue()
