"""The paper broker: accounts of its own, filled at the prices of a market data entry."""
