"""MCP servers as other programs have them configured: read into one form, and written as plugins of the workspace."""
