"""The command line. ``commands`` is the table of all commands; each is imported when it is called."""
