"""What DICOM means: pure functions over data sets, frames and arrays. No web, no database, no folder layout.

Streams come in opened by the caller; nothing here opens a path.
"""

import logging
import sys
import warnings

# pydicom imports GDCM wherever it is installed. GDCM is native code that crashes on some hostile streams, so
# it lives in the decoder process alone (see decoder_process.py, which is started as a script and never passes
# through here).
sys.modules.setdefault("gdcm", None)  # type: ignore[arg-type]

import pydicom.config  # noqa: E402, F401 - it sets the level of its logger when it is imported

# Its messages quote values, and values may be patient data. What matters of them becomes a code of ours.
logging.getLogger("pydicom").setLevel(logging.CRITICAL + 1)
warnings.filterwarnings("ignore", category=UserWarning, module="pydicom")
