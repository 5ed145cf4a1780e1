"""Writes studies to look at for the pictures of the documents: ``python -m tests.showcase_data FOLDER``.

The patients are invented, and the pictures are slices of the synthetic head that ships in `data/`, cut and windowed
otherwise in each study.
"""

import copy
import sys
from datetime import date, timedelta
from pathlib import Path

from pydicom import dcmread
from pydicom.dataset import Dataset

from tests.builders import uid

SAMPLE = Path(__file__).resolve().parents[2] / "data"
NEWEST = date(2026, 6, 30)
PATIENTS = (
    ("Yamada^Tarou=山田^太郎=やまだ^たろう", "MRN-100234", "19610517", "M"),
    ("Okafor^Adaeze", "MRN-100871", "19880203", "F"),
    ("Müller-Lüdenscheidt^Hans-Jürgen^^Dr.", "MRN-100112", "19470911", "M"),
    ("Планк^Анна", "MRN-101003", "19790630", "F"),
    ("ابن سينا^حسين", "MRN-100655", "19550817", "M"),
    ("O’Brien^Siobhán", "MRN-100420", "19930122", "F"),
    ("Nováková^Irena", "MRN-100998", "19691104", "F"),
)
DESCRIPTIONS = (
    "CT head without contrast",
    "CT head, follow-up after fall",
    "CT skull base 1 mm",
    "CT angiography, circle of Willis",
    "CT head, perfusion",
    "頭部単純CT",
    "CT petrous bone, both sides",
)
WINDOWS = ((40, 80), (40, 80), (600, 2800), (60, 300), (35, 60), (40, 90), (700, 3200))


def write_study(folder: Path, number: int, slices: list[Dataset]) -> None:
    """Write one study of a part of the head."""
    name, patient_id, born, sex = PATIENTS[number % len(PATIENTS)]
    kind = (number * 3) % len(DESCRIPTIONS)
    first = 10 + (number * 7) % 30
    count = 1 if number % 6 == 4 else 5 + (number * 5) % 20
    (folder / f"study-{number}").mkdir(parents=True)
    for place, original in enumerate(slices[first : first + count]):
        dataset = copy.deepcopy(original)
        dataset.SpecificCharacterSet = "ISO_IR 192"
        dataset.PatientName, dataset.PatientID = name, patient_id
        dataset.PatientBirthDate, dataset.PatientSex = born, sex
        dataset.StudyDescription = DESCRIPTIONS[kind]
        dataset.WindowCenter, dataset.WindowWidth = WINDOWS[kind]
        dataset.StudyDate = (NEWEST - timedelta(days=number * 2)).strftime("%Y%m%d")
        dataset.StudyTime = f"{8 + number % 9:02}1500"
        dataset.AccessionNumber = f"A{20260 + number * 13}"
        dataset.StudyInstanceUID = uid("showcase study", number)
        dataset.SeriesInstanceUID = uid("showcase series", number)
        dataset.SOPInstanceUID = uid("showcase", number, place)
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        dataset.save_as(folder / f"study-{number}" / f"{place}.dcm")


def main(folder: Path, count: int = 40) -> None:
    """Write the studies."""
    slices = [dcmread(path) for path in sorted(SAMPLE.rglob("*.dcm"))]
    slices.sort(key=lambda dataset: float(dataset.ImagePositionPatient[2]))
    for number in range(count):
        write_study(folder, number, slices)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
