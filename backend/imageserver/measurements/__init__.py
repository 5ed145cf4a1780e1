"""What people measured on images. Knows no HTTP, neither archive nor accounts: users and images are identifiers."""
