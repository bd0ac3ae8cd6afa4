// The same market behind the official SDK: an MCP server on stdio whose tools are the methods of connector.marketData.

import { Server } from "@modelcontextprotocol/sdk/server/index.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { CallToolRequestSchema, ErrorCode, ListToolsRequestSchema, McpError } from "@modelcontextprotocol/sdk/types.js";
import { methods, Refused } from "./market.mjs";

const PREFIX = "gatehook.";
const server = new Server(
  { name: "tides-sdk", version: "0.1.0" },
  { capabilities: { tools: {}, experimental: { gatehook: { wire: 1 } } } },
);

server.setRequestHandler(ListToolsRequestSchema, () => ({
  tools: Object.keys(methods).map((name) => ({ name: PREFIX + name, inputSchema: { type: "object" } })),
}));

server.setRequestHandler(CallToolRequestSchema, async ({ params: { name, arguments: given = {} } }) => {
  const method = name.startsWith(PREFIX) ? methods[name.slice(PREFIX.length)] : undefined;
  if (method === undefined) throw new McpError(ErrorCode.InvalidParams, `there is no tool ${name}`);
  try {
    const structuredContent = { result: await method(given) };
    return { content: [{ type: "text", text: JSON.stringify(structuredContent) }], structuredContent };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return { content: [{ type: "text", text: JSON.stringify(error.body) }], structuredContent: error.body, isError: true };
  }
});

await server.connect(new StdioServerTransport());
process.stdin.on("end", () => process.exit(0)); // the SDK's transport stays when its client has gone
