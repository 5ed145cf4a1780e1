"""Path parameters of DICOMweb."""

from typing import Annotated

from fastapi import Path
from pydantic import AfterValidator

from imageserver.api.parameters import DOCUMENTED_UID, check_uid

StudyPath = Annotated[
    str, Path(description="Study Instance UID (0020,000D)."), AfterValidator(check_uid), DOCUMENTED_UID
]
InstancePath = Annotated[
    str, Path(description="SOP Instance UID (0008,0018)."), AfterValidator(check_uid), DOCUMENTED_UID
]
