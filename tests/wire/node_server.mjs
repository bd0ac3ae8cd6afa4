// A market data server written by hand with the official Node SDK.
import { Server } from "@modelcontextprotocol/sdk/server/index.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { CallToolRequestSchema, ListToolsRequestSchema } from "@modelcontextprotocol/sdk/types.js";

const answers = {
  "gatehook.market_data.capabilities": { supportsTicks: "polled" },
  "gatehook.market_data.health": { status: "ok", reasons: [] },
  "gatehook.market_data.list_instruments": [],
  "gatehook.market_data.quote": { instrument_id: "EURUSD.NODE", kind: "quote", bid: "1.1", ts_event: "2024-01-01T00:00:00Z" },
};
const server = new Server({ name: "by-hand", version: "1.0.0" }, { capabilities: { tools: {} } });
server.setRequestHandler(ListToolsRequestSchema, () => ({
  tools: Object.keys(answers).map((name) => ({ name, inputSchema: { type: "object" } })),
}));
server.setRequestHandler(CallToolRequestSchema, (request) => ({
  content: [],
  structuredContent: { result: answers[request.params.name] },
}));
await server.connect(new StdioServerTransport());
