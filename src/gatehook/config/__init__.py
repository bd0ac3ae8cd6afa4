"""gatehook.toml: its layers, its checks, and each plugin's own part of it."""
