"""Why a file is not taken: every code that the code can raise, with what it means."""

import ast
from collections.abc import Iterator
from pathlib import Path

import imageserver
from scripts.conformance.document import table

# Codes of `dicom.limits.FileRefused`.
_OF_FILES = {
    "not_dicom": "Nothing in the file looks like DICOM.",
    "empty": "The file, or its data set, is empty.",
    "executable_preamble": "The preamble is the start of a program, a page or an archive.",
    "no_transfer_syntax": "Neither a declaration nor the first element says how the file is encoded.",
    "malformed": "Elements contradict the encoding, or each other.",
    "truncated": "The file ends before its data set does.",
    "truncated_pixel_data": "The pixel data is shorter than described; half a slice must not look whole.",
    "no_pixel_data": "The file describes an image and has none, as if cut between two elements.",
    "wrong_transfer_syntax": "Pixel data is in fragments where the transfer syntax has none.",
    "bad_image": "Rows, Columns, samples or bits describe no picture.",
    "unsupported_photometric_interpretation": "Native pixels are in a colour space that is for videos only.",
    "bad_deflate": "A deflated data set cannot be inflated.",
    "too_large_image": "A frame has more pixels than the limit.",
    "too_many_frames": "More frames than the limit.",
    "too_large_inflated": "A deflated data set grows beyond the limit.",
    "too_deep": "Sequences are nested deeper than the limit.",
    "too_many_elements": "More elements, items or fragments than the limit.",
    "value_too_long": "A value of a standard attribute is longer than the limit.",
    "too_slow": "Reading the header takes longer than the limit.",
}


def refusal_table() -> str:
    """All codes."""
    return table(("code", "why"), ((f"`{code}`", why) for code, why in _OF_FILES.items()))


def unlisted_codes() -> set[str]:
    """Return the codes that the code raises and the table does not know, and the other way round."""
    return set(_codes_in_code()) ^ set(_OF_FILES)


def _codes_in_code() -> Iterator[str]:
    folder = Path(str(imageserver.__file__)).parent
    for path in folder.rglob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        constants = {
            ast.unparse(target): ast.unparse(node.value).strip("'")
            for node in tree.body
            if isinstance(node, ast.Assign)
            for target in node.targets
        }
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id == "FileRefused"
            ):
                code = ast.unparse(node.args[0])
                yield constants.get(code, code.strip("'"))
