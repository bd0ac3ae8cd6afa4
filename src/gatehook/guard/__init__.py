"""What stands between a command and its intent: halt, limits, permissions, approvals."""
