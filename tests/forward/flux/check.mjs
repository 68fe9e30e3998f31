// Checks Flux scripts with InfluxData's language server: syntax, types, and what functions take.
// Standard input: a JSON array of scripts. Standard output: for each, an array of what is wrong.

import { writeSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";

console.log = console.info = console.error; // it speaks of itself

const FOLDER = new URL("./node_modules/@influxdata/flux-lsp-browser/", import.meta.url);
const NAME = "flux-lsp-browser_bg";

// The package is made for bundlers: its two halves import each other. Here the glue gets the module
// when that is there.
let wasm = { memory: { buffer: new ArrayBuffer(0) } };
globalThis.fluxWasm = new Proxy({}, { get: (_, name) => wasm[name] });
const source = await readFile(new URL(`${NAME}.js`, FOLDER), "utf8");
const glued = source.replace(/^import \* as wasm from .*$/m, "const wasm = globalThis.fluxWasm;");
const glue = await import(`data:text/javascript,${encodeURIComponent(glued)}`);
const bytes = await readFile(new URL(`${NAME}.wasm`, FOLDER));
const made = await WebAssembly.instantiate(bytes, { [`./${NAME}.js`]: glue });
wasm = made.instance.exports;

const scripts = JSON.parse(await text(process.stdin));
const found = new Map();
const server = new glue.Lsp();
server.onMessage((message) => {
  const { method, params } = JSON.parse(message);
  if (method === "textDocument/publishDiagnostics") {
    found.set(params.uri, params.diagnostics.map((each) => each.message));
  }
});
server.run();
const send = (message) => server.send(JSON.stringify({ jsonrpc: "2.0", ...message }));
await send({ id: 1, method: "initialize", params: { capabilities: {} } });
await send({ method: "initialized", params: {} });
const uris = scripts.map((_, at) => `file:///${at}/query.flux`);
for (const [at, script] of scripts.entries()) {
  const textDocument = { uri: uris[at], languageId: "flux", version: 1, text: script };
  await send({ method: "textDocument/didOpen", params: { textDocument } });
}
while (found.size < scripts.length) await new Promise((done) => setTimeout(done, 10));
const wrong = scripts.map((script, at) => {
  const said = found.get(uris[at]);
  return said.length || new glue.Flux(script).is_valid() ? said : ["not valid"];
});
writeSync(1, JSON.stringify(wrong));
process.exit(0);
