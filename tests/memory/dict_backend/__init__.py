"""A second memory for the tests: nothing but a dict."""
