"""Projection X-ray: spacing that is known at the detector only, where everything is larger than in the patient."""

from imageserver.dicom.functional_groups import has_value
from imageserver.dicom.limits import Finding
from imageserver.dicom.number_values import number, numbers
from imageserver.dicom.reading import Header

DETECTOR_SPACING = "detector_spacing"


def spacing_findings(header: Header) -> list[Finding]:
    """Tell where lengths would be measured at the detector, which shows everything larger (PS3.3 10.7.1.3).

    Pixel Spacing that repeats Imager Pixel Spacing and tells no calibration is the spacing at the detector as well.
    """
    at_detector = numbers(header.dataset, "ImagerPixelSpacing")
    spacing = numbers(header.dataset, "PixelSpacing")
    is_calibrated = has_value(header.dataset, "PixelSpacingCalibrationType")
    if len(at_detector) != 2 or (spacing and (spacing != at_detector or is_calibrated)):
        return []
    magnification = number(header.dataset, "EstimatedRadiographicMagnificationFactor")
    factor = f", by an estimated factor of {magnification:g}" if magnification else ""
    message = f"The pixel spacing is the one at the detector; lengths in the patient are shorter{factor}."
    return [Finding(DETECTOR_SPACING, message)]
