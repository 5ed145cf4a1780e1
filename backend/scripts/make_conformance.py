"""Make the tables of docs/conformance.md again.

Run as `python -m scripts.make_conformance` in `backend/`; with `--check` it only tells whether they are up to date.
"""

import argparse
import sys
from pathlib import Path

from scripts.conformance.arrangement import functional_group_table, verdict_table
from scripts.conformance.character_sets import character_set_table
from scripts.conformance.document import fill
from scripts.conformance.pixels import photometric_table, pixel_type_table
from scripts.conformance.refusals import refusal_table
from scripts.conformance.searching import matching_table, returned_table
from scripts.conformance.services import parameter_table, resource_table, sent_syntax_table, status_table
from scripts.conformance.sop_classes import sop_class_table
from scripts.conformance.storing import failure_reason_table
from scripts.conformance.transfer_syntaxes import transfer_syntax_table

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "conformance.md"
SERVED = ROOT / "backend/imageserver/api/dicomweb/conformance.md"  # what GET /dicomweb/conformance gives


def fill_document(text: str) -> str:
    """Return the document with its tables as they are to be now."""
    return fill(
        text,
        {
            "resources": resource_table(),
            "parameters": parameter_table(),
            "sent-syntaxes": sent_syntax_table(),
            "matching": matching_table(),
            "returned-attributes": returned_table(),
            "failure-reasons": failure_reason_table(),
            "status-codes": status_table(),
            "sop-classes": sop_class_table(),
            "transfer-syntaxes": transfer_syntax_table(),
            "photometric-interpretations": photometric_table(),
            "pixel-types": pixel_type_table(),
            "verdicts": verdict_table(),
            "functional-groups": functional_group_table(),
            "character-sets": character_set_table(),
            "refusals": refusal_table(),
        },
    )


def main() -> int:
    """Write the document, or check it."""
    parser = argparse.ArgumentParser(description="Make the tables of docs/conformance.md again.")
    parser.add_argument("--check", action="store_true", help="only tell whether they are up to date")
    is_check = parser.parse_args().check
    text = DOCUMENT.read_text("utf-8")
    filled = fill_document(text)
    if filled == text and SERVED.is_file() and SERVED.read_text("utf-8") == text:
        return 0
    if is_check:
        print(f"{DOCUMENT.name} is not up to date", file=sys.stderr)
        return 1
    DOCUMENT.write_text(filled, "utf-8")
    SERVED.write_text(filled, "utf-8")
    print(f"wrote {DOCUMENT}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
