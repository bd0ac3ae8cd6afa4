// The market: prices that come and go like tides, a function of the time and nothing else. Labelled as simulated.
// Each method of the kind connector.marketData is a function from the arguments of its tool to its result.

const SYMBOLS = { EURUSD: ["EUR", "USD", 1.1, 5], USDJPY: ["USD", "JPY", 150, 3], XAUUSD: ["XAU", "USD", 2400, 2] };
const INTERVAL = Number(process.env.TIDES_INTERVAL ?? "1000"); // milliseconds between two quotes
const VENUE = process.env.TIDES_VENUE ?? "TIDES"; // the venue part of the instruments' ids, as the entry has it
const MINUTE = 60_000;
const MOST_CANDLES = 1_000;

export class Refused extends Error {
  constructor(code, message) {
    super(message);
    this.body = { code, category: code, retry: "never", retry_after: null, message, venue_code: null, venue_message: null };
  }
}

const time = (ms) => new Date(ms).toISOString();
const known = (id) => {
  const symbol = Object.keys(SYMBOLS).find((one) => `${one}.${VENUE}` === id);
  if (symbol === undefined) throw new Refused("not_found", `there is no instrument ${id}`);
  return symbol;
};

function price(symbol, ms) {
  const [, , middle] = SYMBOLS[symbol];
  const phase = (ms / MINUTE / 7) * Math.PI;
  return middle * (1 + 0.001 * Math.sin(phase) + 0.0002 * Math.sin(phase * 13));
}

function tick(symbol, ms) {
  const digits = SYMBOLS[symbol][3];
  const bid = price(symbol, ms);
  const ask = bid + 2 * 10 ** -digits;
  return {
    instrument_id: `${symbol}.${VENUE}`, kind: "quote", bid: bid.toFixed(digits), ask: ask.toFixed(digits),
    ts_event: time(ms), simulated: true,
  };
}

function candle(symbol, open) {
  const samples = Array.from({ length: 60 }, (_, second) => price(symbol, open + second * 1000));
  const fixed = (value) => value.toFixed(SYMBOLS[symbol][3]);
  return {
    instrument_id: `${symbol}.${VENUE}`, timeframe: "1m", ts_open: time(open), ts_close: time(open + MINUTE),
    open: fixed(samples[0]), high: fixed(Math.max(...samples)), low: fixed(Math.min(...samples)),
    close: fixed(samples[59]), closed: true, simulated: true,
  };
}

const streams = new Map(); // name -> { symbols, position, due }: what was told, and when the next quote is due
let opened = 0;

function streamOf(name) {
  const stream = streams.get(name);
  if (stream === undefined) throw new Refused("unknown_stream", `no stream ${name} is open`);
  return stream;
}

async function next({ stream: name, limit = 1000, wait = 15 }) {
  const stream = streamOf(name);
  const patience = Math.min(Math.max(stream.due - Date.now(), 0), wait * 1000);
  await new Promise((resolve) => setTimeout(resolve, patience));
  const items = [];
  while (stream.due <= Date.now() && items.length + stream.symbols.length <= limit) {
    items.push(...stream.symbols.map((symbol) => ({ type: "tick", value: tick(symbol, stream.due) })));
    stream.due += INTERVAL;
  }
  stream.position += items.length;
  return { items, position: stream.position, cursor: null, ended: false, error: null, conflated: 0, dropped: 0 };
}

export const methods = {
  "market_data.capabilities": () => ({ supportsTicks: true, supportsHistory: true, timeframes: ["1m"] }),
  "market_data.health": () => ({ status: "ok", reasons: [] }),
  "market_data.list_instruments": ({ query = null }) =>
    Object.entries(SYMBOLS)
      .filter(([symbol]) => query === null || symbol.includes(query.toUpperCase()))
      .map(([symbol, [base, quote, , digits]]) => ({
        id: `${symbol}.${VENUE}`, native_symbol: symbol, base, quote, settle_currency: quote,
        price_increment: (10 ** -digits).toFixed(digits), size_increment: "1",
      })),
  "market_data.quote": ({ instrument_id }) => tick(known(instrument_id), Date.now()),
  "market_data.history": ({ instrument_id, start, end, limit = null, cursor = null }) => {
    const symbol = known(instrument_id);
    const first = cursor === null ? Math.ceil(Date.parse(start) / MINUTE) * MINUTE : Number(cursor);
    const most = Math.min(limit ?? MOST_CANDLES, MOST_CANDLES);
    const last = Math.min(Date.parse(end), Date.now() - MINUTE + 1);
    const items = [];
    let open = first;
    for (; open < last && items.length < most; open += MINUTE) items.push(candle(symbol, open));
    return { items, cursor: open < last ? String(open) : null, complete: true };
  },
  "market_data.stream.open": ({ subscriptions }) => {
    const other = subscriptions.find((one) => one.channel !== "quotes");
    if (other !== undefined) throw new Refused("unsupported_capability", `there are quotes, and no ${other.channel}`);
    const symbols = subscriptions.map((one) => known(one.instrument_id));
    const name = `s${++opened}`;
    streams.set(name, { symbols, position: 0, due: Date.now() });
    return { stream: name };
  },
  "market_data.stream.next": next,
  "market_data.stream.close": ({ stream }) => (streams.delete(stream), null),
};
