"""Medical image server: who the patient is and what the images show, from a folder of DICOM files."""

import sys

# pydicom imports GDCM wherever it is installed. GDCM is native code that crashes on some hostile streams, so it lives
# in the decoder processes alone (see dicom/decoder_process.py, a script that never passes through here). It is kept out
# here, before any other import of the server can bring pydicom along.
sys.modules.setdefault("gdcm", None)  # type: ignore[arg-type]

__version__ = "0.1.0"
