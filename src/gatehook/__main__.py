"""``python -m gatehook``."""

from __future__ import annotations

from gatehook.cli.main import main

if __name__ == "__main__":
    main()
