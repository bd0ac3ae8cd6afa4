// An MCP server on stdio without any package: JSON-RPC, a message a line. What it says of the market is in market.mjs.

import { createInterface } from "node:readline";
import { methods, Refused } from "./market.mjs";

const PREFIX = "gatehook.";
const VERSIONS = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"];

const send = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
const answered = (body, isError) => ({ content: [{ type: "text", text: JSON.stringify(body) }], structuredContent: body, isError });

async function call({ name, arguments: given = {} }) {
  const method = methods[name?.slice(PREFIX.length)];
  if (method === undefined || !name.startsWith(PREFIX)) throw { code: -32602, message: `there is no tool ${name}` };
  try {
    return answered({ result: await method(given) }, false);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return answered(error.body, true);
  }
}

const requests = {
  initialize: ({ protocolVersion }) => ({
    protocolVersion: VERSIONS.includes(protocolVersion) ? protocolVersion : VERSIONS[0],
    serverInfo: { name: "tides", version: "0.1.0" },
    capabilities: { tools: {}, experimental: { gatehook: { wire: 1 } } },
  }),
  ping: () => ({}),
  "tools/list": () => ({
    tools: Object.keys(methods).map((name) => ({ name: PREFIX + name, inputSchema: { type: "object" } })),
  }),
  "tools/call": call,
};

async function answer({ id, method, params = {} }) {
  try {
    if (requests[method] === undefined) throw { code: -32601, message: `there is no method ${method}` };
    send({ id, result: await requests[method](params) });
  } catch (error) {
    send({ id, error: { code: error.code ?? -32603, message: String(error.message ?? error) } });
  }
}

createInterface({ input: process.stdin }).on("line", (line) => {
  let message;
  try {
    message = JSON.parse(line);
  } catch {
    return send({ id: null, error: { code: -32700, message: "that is no JSON" } });
  }
  if (message?.method !== undefined && message.id !== undefined) answer(message);
}).on("close", () => process.exit(0));
