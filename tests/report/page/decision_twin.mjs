// Answers lines of [data, weights, volume] with the page's decision on each, a line of JSON each.
import fs from "node:fs";
import readline from "node:readline";

(0, eval)(fs.readFileSync(process.argv[2], "utf8"));
const finite = (key, value) => (typeof value === "number" && !Number.isFinite(value) ? String(value) : value);
for await (const line of readline.createInterface({ input: process.stdin })) {
  const [data, weights, volume] = JSON.parse(line);
  console.log(JSON.stringify(globalThis.weighbridge.decide(data, weights, volume), finite));
}
