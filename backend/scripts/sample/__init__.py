"""The synthetic head CT that ships in `data/`: anatomy, scanner and DICOM files, one module per concern."""
