"""What DICOM means: pure functions over data sets, frames and arrays. No web, no database, no folder layout.

Streams come in opened by the caller; nothing here opens a path.
"""

import logging
import warnings

import pydicom.config  # noqa: F401 - it sets the level of its logger when it is imported

# Its messages quote values, and values may be patient data. What matters of them becomes a code of ours.
logging.getLogger("pydicom").setLevel(logging.CRITICAL + 1)
warnings.filterwarnings("ignore", category=UserWarning, module="pydicom")
