"""docling-slim: its back-ends alone, without models and without torch, which `DocumentConverter` imports."""

from pathlib import Path

from docling.backend.csv_backend import CsvDocumentBackend
from docling.backend.docling_parse_backend import ThreadedDoclingParseDocumentBackend
from docling.backend.email_backend import EmailDocumentBackend
from docling.backend.epub_backend import EpubDocumentBackend
from docling.backend.html_backend import HTMLDocumentBackend
from docling.backend.msexcel_backend import MsExcelDocumentBackend
from docling.backend.mspowerpoint_backend import MsPowerpointDocumentBackend
from docling.backend.msword_backend import MsWordDocumentBackend
from docling.datamodel.base_models import InputFormat
from docling.datamodel.document import InputDocument
from docling.datamodel.pipeline_options import NativePdfPipelineOptions
from docling.pipeline.native_pdf_pipeline import NativePdfPipeline
from reading_adapter import main

BACKENDS = {
    ".csv": (InputFormat.CSV, CsvDocumentBackend),
    ".docx": (InputFormat.DOCX, MsWordDocumentBackend),
    ".docm": (InputFormat.DOCX, MsWordDocumentBackend),
    ".eml": (InputFormat.EMAIL, EmailDocumentBackend),
    ".epub": (InputFormat.EPUB, EpubDocumentBackend),
    ".html": (InputFormat.HTML, HTMLDocumentBackend),
    ".htm": (InputFormat.HTML, HTMLDocumentBackend),
    ".pptx": (InputFormat.PPTX, MsPowerpointDocumentBackend),
    ".pptm": (InputFormat.PPTX, MsPowerpointDocumentBackend),
    ".xlsx": (InputFormat.XLSX, MsExcelDocumentBackend),
    ".xlsm": (InputFormat.XLSX, MsExcelDocumentBackend),
    ".pdf": (InputFormat.PDF, ThreadedDoclingParseDocumentBackend),
}
PAPERS = NativePdfPipeline(NativePdfPipelineOptions())


def read(path: Path) -> str:
    """Return the text of a file."""
    known, backend = BACKENDS[path.suffix.lower()]
    document = InputDocument(path, format=known, backend=backend)
    if known is InputFormat.PDF:
        return PAPERS.execute(document, raises_on_error=True).document.export_to_markdown()
    return document._backend.convert().export_to_markdown()


if __name__ == "__main__":
    main(read)
