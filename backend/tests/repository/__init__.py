"""Tests that read files beside the back end: documents, the compose file, the sample volume."""
