"""Who saw what, and who changed what. Knows no HTTP."""
