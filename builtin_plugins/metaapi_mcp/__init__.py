"""MetaTrader accounts over the MetaApi MCP server: its tools as a broker and as market data."""
