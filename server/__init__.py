"""The Postern server, and what the build shares with it."""
