"""Who may come in: accounts, passwords, sessions, tokens. Knows no HTTP."""
