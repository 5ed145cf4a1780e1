"""Medical image server: who the patient is and what the images show, from a folder of DICOM files."""

__version__ = "0.1.0"
